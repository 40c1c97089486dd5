"""Procedures and discounts: "listar finanças" on the vendor's site."""

from django.utils import timezone

from clinic.api.gateway import ApiRequest
from clinic.api.imagemais import examples
from clinic.api.imagemais.api import api
from clinic.api.imagemais.openapi import LIMIT_TOO_HIGH, OURS, PAGE, operation
from clinic.api.imagemais.reading import Query
from clinic.api.imagemais.schemas import DiscountOut, ProcedureOut
from clinic.models import Procedure
from clinic.queries import booking_options

TAG = "Finanças"


@api.get(
    "/procedures",
    **operation(
        "listProcedures",
        tag=TAG,
        origin=OURS,
        summary="Listar procedimentos",
        description="Os procedimentos que a clínica oferece, em ordem alfabética.",
        answer=list[ProcedureOut],
        example=[examples.PROCEDURE | {"durationMinutes": 15}],
        parameters=PAGE,
        errors={400: LIMIT_TOO_HIGH},
    ),
)
def list_procedures(request: ApiRequest) -> list[ProcedureOut]:
    query_reader = Query(request)
    page = query_reader.page()
    query_reader.raise_if_invalid()
    return [ProcedureOut.of(row) for row in Procedure.objects.of(request.clinic).filter(active=True)[page]]


@api.get(
    "/discounts",
    **operation(
        "listDiscounts",
        tag=TAG,
        origin=OURS,
        summary="Listar descontos",
        description="Os descontos que ainda valem hoje, em ordem alfabética: por porcentagem ou de valor fixo.",
        answer=list[DiscountOut],
        example=[examples.DISCOUNT],
        parameters=PAGE,
        errors={400: LIMIT_TOO_HIGH},
    ),
)
def list_discounts(request: ApiRequest) -> list[DiscountOut]:
    query_reader = Query(request)
    page = query_reader.page()
    query_reader.raise_if_invalid()
    today = request.clinic.local(timezone.now()).date()
    return [DiscountOut.of(row) for row in booking_options.discounts(request.clinic, today)[page]]
