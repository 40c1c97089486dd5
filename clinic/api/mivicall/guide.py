"""The reference's chapters about the MiviCall-compatible API, in its vendor's Portuguese."""

import json
from datetime import timedelta

from django.conf import settings

from clinic.api.errors import ErrorCode
from clinic.api.json_schema import JsonObject
from clinic.api.mivicall import errors
from clinic.api.mivicall.api import api
from clinic.api.mivicall.openapi import ERROR_EXAMPLES
from clinic.api.reference import Failure, Reference, Section, coming_monday
from clinic.models import Clinic
from clinic.models.phones import UNASSIGNED, made_up_phone
from clinic.registry import INVENTED_PATIENTS

HEADERS = '-H "Authorization: Bearer $CHAVE"'
WRITE_HEADERS = f"{HEADERS} \\\n  -H 'Content-Type: application/json'"
EXAMPLE_ID = "3c90c3cc-0d44-4b50-8888-8dd25736052a"

RATE_LIMIT_MESSAGE = errors.too_many_message(12)

BOOKING_FAILURES = [
    Failure(404, "appointment_not_found", "A marcação não existe nesta clínica."),
    Failure(404, "professional_not_found", "O profissional não existe nesta clínica."),
    Failure(404, "service_not_found", "O serviço não existe nesta clínica."),
    Failure(409, "slot_conflict", "A hora já tem dono; alternatives traz as três horas livres mais próximas."),
    Failure(409, "outside_working_hours", "O profissional não dá consultas a essa hora; alternatives também vem."),
    Failure(409, "service_not_offered", "O profissional não faz este serviço."),
    Failure(409, "discount_expired", "O desconto da marcação já não vale nesse dia: withoutExpiredDiscount retira-o."),
    Failure(409, "professional_exists", errors.PROFESSIONAL_EXISTS),
    Failure(409, "service_exists", errors.SERVICE_EXISTS),
    Failure(409, "appointments_pending", "Há marcações que ficariam sem profissional; confirmation faz na mesma."),
    Failure(409, "invalid_transition", "A marcação não pode passar a esse estado."),
    Failure(422, "validation_failed", "O pedido tem campos inválidos: errors diz o caminho e a razão de cada um."),
    Failure(429, "rate_limit_exceeded", RATE_LIMIT_MESSAGE),
]


def _answer(code: str) -> str:
    """Return the answer of an error as the OpenAPI document has it."""
    answers = {name: answer for answers in ERROR_EXAMPLES.values() for name, answer in answers.items()}
    return _written(answers[code])


def _invented_patients() -> str:
    """Return a line of Markdown for each invented patient of a Portuguese sandbox."""
    return "\n".join(
        f"- {patient.name}, `{made_up_phone(Clinic.Country.PORTUGAL, patient.phone)}`"
        + (f", nasceu a {patient.born:%d/%m/%Y}" if patient.born else "")
        for patient in INVENTED_PATIENTS
    )


def _written(answer: JsonObject) -> str:
    return json.dumps(answer, ensure_ascii=False, indent=2)


SECTIONS = [
    Section(
        "autenticacao",
        "Autenticação",
        """\
Cada pedido leva `Authorization: Bearer miv_live_…`. O utilizador master da clínica cria a chave em
Integrações; aparece **uma só vez**, é válida durante um ano e pode ser substituída (a antiga é válida mais 24
horas) ou revogada.

Uma chave `miv_test_…` age no **ambiente de testes**, de que há um capítulo adiante.

A API é para servidores: a chave não tem lugar numa página, onde qualquer pessoa a leria. Por isso não há CORS:
`OPTIONS` não é respondido a um navegador, e o cabeçalho `Host` é o do endereço da API.

Cada chave tem as suas permissões:

- `appointments:read`: ver marcações
- `appointments:write`: marcar e alterar
- `directory:read`: ver profissionais, serviços e a clínica
- `directory:write`: alterar profissionais, serviços e a clínica; as chaves que já havia não a ganham
- `patients:read`: ver utentes""",
        answer=_answer(errors.API_ERRORS[ErrorCode.INVALID_CREDENTIAL][1]),
    ),
    Section(
        "convencoes",
        "Convenções",
        """\
- Nomes em camelCase, ids em UUID.
- `startsAt` em ISO 8601 **com** o desvio do fuso (`+01:00`, `-03:00` ou `Z`); sem ele: 422.
- Telefones em E.164, `+351912345678`. Não voltam às claras: volta `patientPhoneHash`.
- Textos são guardados como vêm, sem os espaços das pontas; num nome, espaços seguidos passam a um só; as marcas
  invisíveis que mudam a direção da escrita (U+202A a U+202E, U+2066 a U+2069, U+FEFF) saem. Um texto com NUL,
  metade de um par UTF-16 ou outro carácter de controlo: 422, nunca mudado em silêncio.
- Campos desconhecidos são ignorados.
- Cada resposta traz `X-Request-Id`: indique-o quando pedir ajuda.""",
    ),
    Section(
        "falar",
        "Para um bot que fala: expand",
        """\
As respostas trazem só o que o fornecedor documenta. O que falta para dizer em voz alta pede-se na query, em
marcações e em horas livres; vários vão entre vírgulas:

- `expand=professional`: nome e especialidade do profissional.
- `expand=service`: nome, duração e preparação do serviço (jejum, o que trazer).
- `expand=spoken`: `spoken` (“quinta, às duas e meia da tarde”, como se diz hoje) e `label` (`qui 14/05/2026 14:30`).

Um 409 da hora traz sempre `alternatives` e, em `message`, a causa (feriado, ausência, horário).""",
    ),
    Section(
        "idempotencia",
        "Idempotency-Key: repetir sem marcar duas vezes",
        f"""\
Em POST, PATCH e DELETE envie `Idempotency-Key` com um texto seu, de 1 a 255 caracteres, um por pedido, por
exemplo `pms-create-4711`. Se a resposta se perder, envie **o mesmo pedido com a mesma chave**: volta a primeira
resposta, com `Idempotency-Replayed: true`, e nada é feito de novo.

O corpo é comparado **byte a byte**: guarde o texto que enviou e repita esse. O mesmo JSON com as chaves noutra ordem,
ou com outros espaços, é outro pedido: 422 `idempotency_key_reused`.

A resposta fica guardada {settings.STORED_ANSWER_DAYS} dias. Erros que nada alteraram não ficam guardados:
corrija e use a mesma chave. Um 409 decidido fica, porque é uma resposta. Se os dados do utente são apagados
ou limitados, a resposta é apagada: repetir o pedido é então 410, e nada é feito de novo.""",
    ),
    Section(
        "sincronizar",
        "Manter uma cópia",
        """\
`updatedSince` em `GET /v1/appointments` e `GET /v1/patients` traz tudo o que mudou desde um instante, pela ordem em que
mudou, por qualquer entrada: receção, administração ou API. Nada se perde, mesmo com muita gente a alterar ao mesmo
tempo: o que ainda está a ser guardado vem na vez seguinte.

- **Na primeira vez** peça `updatedSince=2000-01-01T00:00:00Z`: vem tudo.
- Siga `nextCursor`, em `cursor` e com o mesmo `updatedSince`, até à última página.
- Guarde o `nextUpdatedSince` dela: é o `updatedSince` **da próxima vez**.
- Peça de novo quando quiser, por exemplo a cada minuto; sem novidades, `items` e `deleted` vêm vazios.

`items` traz o que se põe na cópia, e `deleted` (`id`, `deletedAt`) o que se tira dela; quem faleceu também, e volta se
foi engano; e a ficha que foi unida a outra, que é a mesma pessoa: as marcações dela vêm de novo, já com o nome da que
ficou, e o hash do telefone antigo continua a levar a essa. Uma marcação cancelada não é retirada: muda de estado. O
mesmo `id` pode vir outra vez.

Uma marcação vem também quando mudam o nome ou o telefone do utente. Se a clínica trocar de fuso, ou de chave dos
`patientPhoneHash`, comece de novo, como da primeira vez.

Filtros não vão com `updatedSince`: o que deixasse de caber no filtro ficaria na cópia para sempre. O que `expand` junta
é o de agora: uma mudança só disso não traz a marcação de novo.""",
        lambda address: (
            f"curl -G '{address}/v1/appointments' \\\n  {HEADERS} \\\n"
            "  --data-urlencode 'updatedSince=2000-01-01T00:00:00Z' \\\n  -d limit=200"
        ),
        answer=_written(
            {
                "items": [],
                "deleted": [{"id": EXAMPLE_ID, "deletedAt": "2026-05-14T09:00:00Z"}],
                "nextUpdatedSince": "2026-05-14T10:00:00.123456Z",
            }
        ),
    ),
    Section(
        "testes",
        "Ambiente de testes",
        f"""\
Uma chave `miv_test_…` age num ambiente de testes da clínica, que se lembra: marque, altere, cancele e sincronize como
em produção, com as mesmas regras e respostas. Nada do que lá se faz chega à agenda da clínica nem ocupa uma hora
verdadeira, e só as chaves de teste da mesma clínica o veem.

O primeiro pedido do dia copia os profissionais, serviços, horários, ausências e feriados da clínica, com os mesmos ids;
o que a clínica alterar depois vê-se no dia seguinte. Não copia marcações nem utentes. Há utentes inventados, com
telefones que ninguém tem (numa clínica do Brasil começam por `{UNASSIGNED["BR"]}`):

{_invented_patients()}

À meia-noite da clínica acaba: as marcações passam a 404, e o dia seguinte começa de novo. Um programa que sincroniza
esvazia então a sua cópia.""",
    ),
    Section(
        "mudancas",
        "Mudanças, e o que fica como está",
        """\
O que o fornecedor documenta não muda: chaves, valores e códigos ficam como na página dele. O que é nosso só ganha: um
parâmetro novo é opcional, uma chave nova vem só para quem a pede. O que um dia tiver de sair é anunciado aqui com a
data, e até lá, durante **seis meses** pelo menos, as respostas dele trazem os cabeçalhos `Deprecation` e `Sunset`.

- **11/2026** Uma chave `miv_test_…` passou a lembrar-se do que fez, até ao fim do dia; antes nada guardava. `expand`
  junta nomes e palavras. Um parâmetro que o endereço não tem, ou repetido, passou a 422: antes era ignorado. Num PATCH,
  `null` num campo opcional é o mesmo que não o enviar, exceto em `patientNotes`, que esvazia. A `message` de um 422 diz
  o primeiro campo. `updatedSince` para manter uma cópia; profissionais, serviços e clínica escrevem-se com
  `directory:write`. `GET /v1/tenants/me` traz o `id` em UUID e `specialty` como o fornecedor. HEAD, e uma barra no fim
  do endereço. Um `to` antes de `from` passou a 422: antes vinha uma lista vazia.""",
    ),
    Section(
        "limite",
        "Limite de pedidos",
        f"""\
Por chave, {settings.API_REQUESTS_A_MINUTE} pedidos num minuto e {settings.API_REQUESTS_A_SECOND} num segundo.
Cada resposta traz `X-RateLimit-Limit`, `X-RateLimit-Remaining` e `X-RateLimit-Reset` (segundo Unix). Quem passa
recebe 429 com `Retry-After`, em segundos.""",
        answer=_written({"error": "rate_limit_exceeded", "message": RATE_LIMIT_MESSAGE, "retryAfter": 12}),
    ),
]


def failures() -> list[Failure]:
    """Return the errors of every request, with their messages, and those of booking."""
    general = [
        Failure(status, code, sentence.format("…", "…").replace("….", "…"))
        for status, code, sentence in errors.API_ERRORS.values()
    ]
    by_code = {failure.code: failure for failure in [*BOOKING_FAILURES, *general]}
    return sorted(by_code.values(), key=lambda failure: failure.status)


def _curl_booking(address: str, key: str) -> str:
    body = f"""{{
  "professionalId": "{EXAMPLE_ID}",
  "serviceTypeId": "{EXAMPLE_ID}",
  "patientName": "Maria Silva",
  "patientPhone": "+351912345678",
  "startsAt": "{coming_monday()}T10:00:00+00:00",
  "patientNotes": "Primeira consulta"
}}"""
    options = f"{WRITE_HEADERS} \\\n  -H 'Idempotency-Key: {key}' \\\n  -d '{body}'"
    return f"curl -i -X POST '{address}/v1/appointments' \\\n  {options}"


STEPS = [
    Section(
        "chave",
        "Crie uma chave",
        """\
Peça ao utilizador master da clínica: Integrações → **Criar chave**. Comece por uma de teste:
responde como a de produção, numa agenda só de testes. A chave aparece uma vez; guarde-a numa variável do terminal:""",
        lambda address: "CHAVE='cole aqui a chave'",
    ),
    Section(
        "clinica",
        "Veja se a chave abre",
        """\
Diz de que clínica é a chave, e o fuso em que a clínica vive.""",
        lambda address: f"curl '{address}/v1/tenants/me' \\\n  {HEADERS}",
    ),
    Section(
        "profissionais",
        "Descubra os profissionais",
        """\
Guarde o `id` do profissional: vai em `professionalId`.""",
        lambda address: f"curl '{address}/v1/professionals' \\\n  {HEADERS}",
    ),
    Section(
        "servicos",
        "Descubra os serviços",
        """\
Cada serviço diz a duração, o preço e quem o faz. O `id` vai em `serviceTypeId`.""",
        lambda address: f"curl '{address}/v1/services' \\\n  {HEADERS}",
    ),
    Section(
        "horas",
        "Veja as horas livres",
        """\
Sem `professionalId` vêm as de todos os que fazem o serviço. Troque o id pelo do seu serviço. Com
`expand=professional,spoken` cada uma traz de quem é e como se diz.""",
        lambda address: (
            f"curl -G '{address}/v1/availability' \\\n  {HEADERS} \\\n"
            f"  --data-urlencode 'serviceTypeId={EXAMPLE_ID}' \\\n"
            f"  --data-urlencode 'from={coming_monday()}T00:00:00+00:00' \\\n"
            f"  --data-urlencode 'to={coming_monday() + timedelta(days=5)}T00:00:00+00:00' \\\n"
            "  -d limit=5"
        ),
    ),
    Section(
        "marcar",
        "Marque",
        """\
Troque os ids e ponha em `startsAt` uma das horas livres, tal como veio. A resposta é 201 com a marcação, já
`confirmed`; com uma chave de produção está na agenda da receção.""",
        lambda address: _curl_booking(address, "pms-create-1"),
    ),
    Section(
        "ocupado",
        "Se a hora já tem dono",
        """\
Envie o mesmo corpo com **outra** `Idempotency-Key`: é outro pedido para a mesma hora, e a resposta é 409.
`alternatives` traz as três horas livres mais próximas.""",
        lambda address: _curl_booking(address, "pms-create-2"),
        answer=_answer("slot_conflict"),
    ),
    Section(
        "repetir",
        "Se a resposta se perdeu",
        """\
A rede caiu e não sabe se marcou? Envie **exatamente** o mesmo pedido com a **mesma** `Idempotency-Key`. Volta a
resposta do primeiro, com `Idempotency-Replayed: true` no cabeçalho, e há uma só marcação.""",
        lambda address: _curl_booking(address, "pms-create-1"),
    ),
]

reference = Reference(
    api=api,
    prefix="v1",
    namespace="mivicall",
    language="pt-pt",
    vendor="MiviCall",
    summary="Para receções por voz e programas de gestão que já falam com a MiviCall: troque o endereço e a chave.",
    secret="$CHAVE",  # noqa: S106 - the name of the reader's own variable
    sections=SECTIONS,
    failures=failures,
    steps=STEPS,
)
