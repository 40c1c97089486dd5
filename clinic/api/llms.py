"""The page that language models read first (llmstxt.org): what the APIs are for, and where their documents are."""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from clinic.api.imagemais.guide import reference as imagemais
from clinic.api.mivicall.guide import reference as mivicall
from clinic.api.reference import Reference, address_of

HEAD = """\
# Agenda da clínica

> Duas APIs JSON sobre a mesma agenda de clínicas no Brasil e em Portugal. Agendam pelas mesmas regras que a tela da \
recepção: o banco de dados recusa que duas pessoas fiquem com o mesmo minuto. Uma credencial é de uma clínica só.

Ids e campos são os do fornecedor de cada API; cada operação diz em `x-origem` se ele a documenta (`seed`, `site`) ou \
se nós a decidimos (`nossa`). Toda escrita aceita `Idempotency-Key`: sem resposta, repita o mesmo pedido com a mesma \
chave. Um horário só é de quem recebeu 201; um 409 traz o motivo, e na API MiviCall os próximos horários livres.
"""


@login_not_required
@require_safe
def llms(request: HttpRequest) -> HttpResponse:
    address = address_of(request)
    chapters = "\n".join(_chapter(reference, address) for reference in (imagemais, mivicall))
    return HttpResponse(f"{HEAD}\n{chapters}", content_type="text/markdown; charset=utf-8")


def _chapter(reference: Reference, address: str) -> str:
    base = f"{address}/{reference.prefix}"
    operations = [
        f"- `{method.upper()} {path}`: {operation['summary']}"
        for path, methods in reference.document["paths"].items()
        for method, operation in methods.items()
    ]
    return "\n".join(
        [
            f"## API {reference.vendor}",
            "",
            reference.summary,
            "",
            f"- [OpenAPI 3.1]({base}/openapi.json): todas as operações, campos, exemplos e erros",
            f"- [Referência]({base}/docs/): o mesmo, para pessoas",
            f"- [Primeiros passos]({base}/primeiros-passos/): da credencial ao primeiro agendamento",
            "",
            *operations,
            "",
        ]
    )
