"""The reference's chapters about the ImageMais-compatible API, in its vendor's Portuguese."""

import json

from django.conf import settings

from clinic.api.errors import ErrorCode
from clinic.api.imagemais import errors, examples, messages
from clinic.api.imagemais.api import api
from clinic.api.reference import Failure, Reference, Section, coming_monday
from clinic.refusals import Reason

HEADERS = '-H "Authorization: Bearer $TOKEN"'
WRITE_HEADERS = f"{HEADERS} \\\n  -H 'Content-Type: application/json'"

BOOKING_FAILURES = [
    Failure(400, "campo que falta ou está errado", f"{messages.MISSING['patient.phone'][0]}, …"),
    Failure(400, "procedimento desconhecido ou inativo", messages.example(Reason.PROCEDURE_UNKNOWN)),
    Failure(
        400, "procedimento que o médico não faz", messages.example(Reason.PROCEDURE_NOT_OFFERED, procedure="<nome>")
    ),
    Failure(400, "data que já passou", messages.example(Reason.DATE_PAST)),
    Failure(400, "horário de hoje que já passou", messages.example(Reason.TIME_PAST)),
    Failure(400, "fora do horário do médico", messages.example(Reason.OUTSIDE_HOURS)),
    Failure(
        400,
        "mais curto do que os procedimentos, se a clínica exige a duração",
        messages.example(Reason.TOO_SHORT, minutes="45"),
    ),
    Failure(400, "desconto vencido", messages.example(Reason.DISCOUNT_EXPIRED, discount="<nome>")),
    Failure(404, "médico desconhecido, ou de outra clínica", messages.DOCTOR_UNKNOWN),
    Failure(404, "desconto desconhecido, ou de outra clínica", messages.example(Reason.DISCOUNT_UNKNOWN)),
    Failure(404, "agendamento desconhecido, ou de outra clínica", messages.APPOINTMENT_UNKNOWN),
    Failure(409, "horário ocupado", examples.TAKEN),
    Failure(
        409,
        "mudança de situação que não existe",
        messages.example(Reason.TRANSITION_FORBIDDEN, current="<A>", wanted="<B>"),
    ),
    Failure(409, "pagamento de um agendamento cancelado", messages.example(Reason.NOT_PAYABLE, current="Cancelado")),
    Failure(409, "visita em outro dia", messages.example(Reason.NOT_THAT_DAY, act="faz check-in", date="<data>")),
    Failure(
        409,
        "desconto que não vale na nova data",
        messages.example(Reason.DISCOUNT_LEFT_BEHIND, discount="<nome>", date="<data>"),
    ),
]
CAUSES = {
    ErrorCode.HOST_UNKNOWN: "Host que falta ou é outro",
    ErrorCode.MALFORMED_AUTHORIZATION: "sem Authorization: Bearer, ou mal escrito",
    ErrorCode.INVALID_CREDENTIAL: "token desconhecido, alterado ou revogado",
    ErrorCode.CLINIC_INACTIVE: "clínica inativa",
    ErrorCode.EXPIRED_CREDENTIAL: "o token expirou",
    ErrorCode.TOO_MANY_REQUESTS: "pedidos demais",
    ErrorCode.TOO_MANY_PARAMETERS: "query longa demais",
    ErrorCode.QUERY_NOT_UTF8: "query com bytes que não são UTF-8",
    ErrorCode.PARAMETER_UNKNOWN: "parâmetro que o endereço não tem",
    ErrorCode.PARAMETER_REPEATED: "parâmetro que vem duas vezes",
    ErrorCode.TOO_LARGE: "corpo grande demais",
    ErrorCode.TOO_SLOW: "corpo que não chega completo",
    ErrorCode.NOT_JSON: "Content-Type que não é JSON",
    ErrorCode.ENCODED: "corpo comprimido",
    ErrorCode.NOT_UTF8: "corpo que não está em UTF-8",
    ErrorCode.KEY_REPEATED: "chave repetida no corpo",
    ErrorCode.UNREADABLE: "corpo que não se lê",
    ErrorCode.NOT_FOUND: "endereço que não existe",
    ErrorCode.METHOD_NOT_ALLOWED: "método errado",
    ErrorCode.IDEMPOTENCY_KEY_MALFORMED: "Idempotency-Key vazia ou longa demais",
    ErrorCode.IDEMPOTENCY_KEY_REUSED: "Idempotency-Key de outra requisição",
    ErrorCode.IDEMPOTENCY_IN_PROGRESS: "a mesma requisição ainda não terminou",
    ErrorCode.ANSWER_ERASED: "Idempotency-Key de uma resposta que foi apagada",
    ErrorCode.BUSY: "duas gravações no mesmo instante",
    ErrorCode.UNAVAILABLE: "a base de dados não responde",
    ErrorCode.SERVER_ERROR: "erro nosso",
}


def _answer(status: int, message: str) -> str:
    return json.dumps(errors.error_body(status, message), ensure_ascii=False)


SECTIONS = [
    Section(
        "autenticacao",
        "Autenticação",
        """\
Cada pedido leva `Authorization: Bearer <accessToken>`. O usuário master da clínica libera o token em
Integrações; ele vale **uma hora** e pode ser revogado antes.

O token é de uma clínica só: ids de outra clínica respondem como desconhecidos.

A API é para servidores: o token não tem lugar numa página, onde qualquer um o leria. Por isso não há CORS: `OPTIONS`
não é respondido a um navegador, e o cabeçalho `Host` é o do endereço da API.""",
        answer=_answer(*errors.API_ERRORS[ErrorCode.EXPIRED_CREDENTIAL]),
    ),
    Section(
        "convencoes",
        "Convenções",
        """\
- Nomes em camelCase, ids inteiros; um id também é aceito como texto (`"12"`).
- Dinheiro é texto sem zeros à direita: `"252"`, `"50.4"`.
- Instantes em ISO 8601, UTC, com milissegundos e `Z`; um dia é `2025-12-25T00:00:00.000Z`.
- Horas são `HH:mm` no fuso da clínica.
- CPF e telefone com ou sem pontuação. Um telefone possível que não existe no país é gravado como veio, sem completar
  nada, e a recepção vê “telefone a confirmar”; com letras, ou com `00` e o código de uma operadora, é 400.
- Um nome tem pelo menos uma letra.
- Textos são gravados como vêm, sem os espaços das pontas; num nome, espaços seguidos viram um só; as marcas
  invisíveis que viram a direção da escrita (U+202A a U+202E, U+2066 a U+2069, U+FEFF) saem. Um texto com NUL,
  metade de um par UTF-16 ou outro caractere de controle é 400, nunca mudado em silêncio.
- Cada procedimento vem uma vez num agendamento.
- `PUT` é aceito onde há `PATCH`, e faz o mesmo.
- Listas: `limit` (50 se não vier, no máximo 100) e `offset` contam os elementos do array. `Link` traz o endereço da
  página seguinte: quem o segue não perde nem repete nada. `X-Total-Count` diz na primeira quantos há.
- Um parâmetro que o endereço não tem é 400, com o nome dele: um filtro nunca se perde em silêncio.""",
    ),
    Section(
        "falar",
        "Para um bot que fala: expand",
        """\
As respostas trazem só o que o fornecedor documenta. O que falta para dizer em voz alta, peça na query:

- `expand=spoken`: em agendamentos e horários livres, `spoken` (“quinta, às duas e meia da tarde”, como se diz hoje) e
  `label` (`qui 25/12/2025 14:30`).
- `expand=preparation`: em cada procedimento, o preparo que a clínica escreveu (jejum, o que trazer), ou `null`.
- `expand=clinic`: nome, telefone, endereço e cidade da clínica, para dizer aonde ir; `null` no que ela não escreveu.
- `expand=alternatives`, ao agendar e ao reagendar: na recusa de um horário, os três mais próximos, prontos para mandar,
  e em `reason` a causa (feriado, ausência, expediente).

Vários vão entre vírgulas: `expand=spoken,alternatives`.""",
    ),
    Section(
        "idempotencia",
        "Idempotency-Key: repetir sem agendar duas vezes",
        f"""\
Em POST, PATCH e DELETE mande `Idempotency-Key` com um texto seu, de 1 a 255 caracteres, um por pedido. Se a
resposta se perder, mande **o mesmo pedido com a mesma chave**: volta a primeira resposta, com
`Idempotency-Replayed: true`, e nada é feito de novo.

O corpo é comparado **byte a byte**: guarde o texto que mandou e repita esse. O mesmo JSON com as chaves em outra ordem,
ou com outros espaços, é outro pedido: 422.

A resposta fica guardada por {settings.STORED_ANSWER_DAYS} dias. Erros que nada gravaram não ficam guardados:
corrija e use a mesma chave. Um 409 de horário ocupado fica, porque é uma resposta. Se os dados do paciente são
apagados ou limitados, a resposta é apagada: repetir o pedido é então 410, e nada é feito de novo.""",
    ),
    Section(
        "sincronizar",
        "Manter uma cópia",
        """\
`updatedSince` em `GET /api/appointments` e `GET /api/patients` traz tudo o que mudou desde um instante, na ordem em
que mudou, por qualquer entrada: recepção, administração ou API. Nada se perde, mesmo com muita gente gravando ao
mesmo tempo: o que ainda está sendo gravado vem na vez seguinte.

- **Na primeira vez** peça `updatedSince=2000-01-01T00:00:00Z`: vem tudo.
- Siga `Link` até a última página.
- Guarde o `X-Next-Updated-Since` dela: é o `updatedSince` **da próxima vez**. O maior `updatedAt` que você viu não
  serve para isso.
- Peça de novo quando quiser, por exemplo a cada minuto; sem novidade vem `[]`.

Troque na sua cópia **todos** os elementos de um `id` pelos que vieram: um agendamento vem sempre inteiro, e por isso
`limit` conta aqui agendamentos. O que vem com `deletedAt` sai da cópia; um paciente falecido também, e volta se foi
engano; e um cadastro que foi juntado a outro, da mesma pessoa: os agendamentos dele vêm de novo, com o `patient.id` do
que ficou, e o `id` antigo continua valendo em `PATCH /api/patients/{id}` e em `patientId`. Um cancelado não é excluído:
muda de status. O mesmo `id` pode vir outra vez.

Um agendamento vem também quando muda o nome, o telefone, o CPF ou o nascimento do paciente. `procedure.price` e os
dados do desconto são os do catálogo de agora e não contam como mudança. Se a clínica trocar de fuso, comece de novo,
como na primeira vez.

Filtros e `offset` não vão com `updatedSince`: o que deixasse de caber no filtro ficaria na cópia para sempre. O que
`expand` acrescenta é o de agora: uma mudança só disso não traz o agendamento de novo.""",
        lambda address: (
            f"curl -i -G '{address}/api/appointments' \\\n  {HEADERS} \\\n"
            "  --data-urlencode 'updatedSince=2000-01-01T00:00:00Z' \\\n  -d limit=100"
        ),
    ),
    Section(
        "mudancas",
        "Mudanças, e o que fica como está",
        """\
O que o fornecedor documenta não muda: chaves, valores e mensagens ficam como na página dele. O que é nosso só ganha: um
parâmetro novo é opcional, uma chave nova vem só para quem a pede. O que um dia tiver de sair é anunciado aqui com a
data, e até lá, por **seis meses** pelo menos, as respostas dele trazem os cabeçalhos `Deprecation` e `Sunset`.

- **11/2026** `expand` acrescenta palavras, preparo, a clínica e alternativas. Horários livres por `procedureId`
  ou `durationMinutes`. Listas com `Link`, `after` e `X-Total-Count`, contadas por elemento do array. Um parâmetro que o
  endereço não tem, ou repetido, passou a 400: antes era ignorado, e vinham todos. `contact.phone` vale por
  `phone`; `dateBirth` pode faltar ao cadastrar um paciente. `rg`, `gender` e `address`, que não guardamos, são 400
  ao editar. `updatedSince` para manter uma cópia. `receive-payment`, PUT onde há PATCH, HEAD, e uma barra no fim do
  endereço. `slots` recusa um procedimento desconhecido, com que vinha `[]`, ou repetido. Um `dateEnd` antes de
  `dateStart` passou a 400. Um status vale também com maiúsculas, como as respostas o escrevem. Um corpo com
  acentos que se declara em outro charset do que UTF-8 passou a 415.""",
    ),
    Section(
        "limite",
        "Limite de pedidos",
        f"""\
Por token, {settings.API_REQUESTS_A_MINUTE} pedidos num minuto e {settings.API_REQUESTS_A_SECOND} num segundo.
Quem passa recebe 429 com `Retry-After`, em segundos.""",
        answer=_answer(*errors.API_ERRORS[ErrorCode.TOO_MANY_REQUESTS]),
    ),
]


def failures() -> list[Failure]:
    """Return the errors of every request, with their messages, and those of booking."""
    answers = errors.API_ERRORS.items()
    general = [
        Failure(status, CAUSES.get(problem, ""), sentence.format("…", "…")) for problem, (status, sentence) in answers
    ]
    return sorted([*BOOKING_FAILURES, *general], key=lambda failure: failure.status)


def _curl_booking(address: str, key: str) -> str:
    body = f"""{{
  "patient": {{
    "name": "João Silva",
    "phone": "(81) 99999-9999",
    "dateBirth": "1990-01-01",
    "cpf": "123.456.789-00"
  }},
  "procedures": [{{"id": 1}}],
  "doctorId": 1,
  "date": "{coming_monday()}",
  "startTime": "09:00",
  "endTime": "09:30",
  "notes": "Primeira consulta"
}}"""
    options = f"{WRITE_HEADERS} \\\n  -H 'Idempotency-Key: {key}' \\\n  -d '{body}'"
    return f"curl -i -X POST '{address}/api/appointments' \\\n  {options}"


STEPS = [
    Section(
        "token",
        "Libere um token",
        """\
Peça ao usuário master da clínica: Integrações → **Liberar token**. Ele aparece uma vez e vale
uma hora. Guarde-o numa variável do terminal:""",
        lambda address: "TOKEN='cole aqui o token'",
    ),
    Section(
        "medicos",
        "Descubra os médicos",
        """\
A resposta é uma lista; guarde o `id` do médico com quem quer agendar. Cada um traz os procedimentos que faz.""",
        lambda address: f"curl '{address}/api/doctors' \\\n  {HEADERS}",
    ),
    Section(
        "procedimentos",
        "Descubra os procedimentos e os preços",
        """\
O `id` do procedimento vai em `procedures`; `durationMinutes` diz quanto ele dura, e vários duram a soma. Os descontos
da clínica estão em `/api/discounts`.""",
        lambda address: f"curl '{address}/api/procedures' \\\n  {HEADERS}",
    ),
    Section(
        "horarios",
        "Veja os horários livres",
        """\
Troque os dois `1` pelo id do médico e pelo do procedimento; para vários procedimentos repita `procedureId`. Cada
horário dura a soma das durações (`durationMinutes`, em Procedimentos): agende com o início e o término como vieram. Sem
`procedureId` some você mesmo os `durationMinutes`, e não passe de `freeUntil`. Um agendamento mais curto é aceito, e a
recepção vê quantos minutos faltam; se a clínica exige a duração, é 400.""",
        lambda address: f"curl '{address}/api/doctors/1/slots?date={coming_monday()}&procedureId=1' \\\n  {HEADERS}",
        answer='[{"startTime": "09:00", "endTime": "09:15"}, {"startTime": "09:15", "endTime": "09:30"}]',
    ),
    Section(
        "agendar",
        "Agende",
        """\
Troque `doctorId`, o id do procedimento e o horário pelos seus. A resposta é 201 com um elemento por
procedimento; o `id` é o do agendamento, que já está na agenda da recepção.""",
        lambda address: _curl_booking(address, "pedido-1"),
    ),
    Section(
        "ocupado",
        "Se o horário já tem dono",
        """\
Mande o mesmo corpo com **outra** `Idempotency-Key`: é outro pedido para o mesmo horário, e a resposta é 409.
Peça os horários livres de novo e escolha outro, ou mande o pedido com `?expand=alternatives`: a recusa traz os mais
próximos.""",
        lambda address: _curl_booking(address, "pedido-2"),
        answer=_answer(409, examples.TAKEN),
    ),
    Section(
        "repetir",
        "Se a resposta se perdeu",
        """\
A rede caiu e você não sabe se agendou? Mande **exatamente** o mesmo pedido com a **mesma** `Idempotency-Key`.
Volta a resposta do primeiro, com `Idempotency-Replayed: true` no cabeçalho, e há um agendamento só.""",
        lambda address: _curl_booking(address, "pedido-1"),
    ),
]

reference = Reference(
    api=api,
    prefix="api",
    namespace="imagemais",
    language="pt-br",
    vendor="ImageMais",
    summary="Para quem já fala com a ImageMais Clinic: troque o endereço e o token, e nada mais muda.",
    secret="$TOKEN",  # noqa: S106 - the name of the reader's own variable
    sections=SECTIONS,
    failures=failures,
    steps=STEPS,
)
