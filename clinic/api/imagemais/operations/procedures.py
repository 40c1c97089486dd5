"""Procedures and discounts: "listar finanças" on the vendor's site."""

from django.http import HttpResponse
from django.utils import timezone

from clinic.api.gateway import ApiRequest
from clinic.api.imagemais import examples, openapi
from clinic.api.imagemais.api import api
from clinic.api.imagemais.openapi import LIMIT_TOO_HIGH, OURS, PAGE, operation
from clinic.api.imagemais.paging import Page
from clinic.api.imagemais.reading import Query
from clinic.api.imagemais.schemas import DiscountOut, ProcedureOut
from clinic.models import Procedure
from clinic.models.price import PriceOn
from clinic.queries import booking_options


@api.get(
    "/procedures",
    **operation(
        "listProcedures",
        tag=openapi.FINANCES,
        origin=OURS,
        summary="Listar procedimentos",
        description="Os procedimentos que a clínica oferece, em ordem alfabética.",
        answer=list[ProcedureOut],
        example=[examples.PROCEDURE | {"durationMinutes": 15}],
        parameters=PAGE,
        errors={400: LIMIT_TOO_HIGH},
    ),
)
def list_procedures(request: ApiRequest, response: HttpResponse) -> list[ProcedureOut]:
    page = _page(request)
    today = request.clinic.local(timezone.now()).date()
    procedures = Procedure.objects.of(request.clinic).filter(active=True).annotate(price_now=PriceOn(today))
    return [ProcedureOut.of(row) for row in page.of(procedures, request, response)]


@api.get(
    "/discounts",
    **operation(
        "listDiscounts",
        tag=openapi.FINANCES,
        origin=OURS,
        summary="Listar descontos",
        description="Os descontos que ainda valem hoje, em ordem alfabética: por porcentagem ou de valor fixo.",
        answer=list[DiscountOut],
        example=[examples.DISCOUNT],
        parameters=PAGE,
        errors={400: LIMIT_TOO_HIGH},
    ),
)
def list_discounts(request: ApiRequest, response: HttpResponse) -> list[DiscountOut]:
    page = _page(request)
    today = request.clinic.local(timezone.now()).date()
    discounts = booking_options.discounts(request.clinic, today)
    return [DiscountOut.of(row) for row in page.of(discounts, request, response)]


def _page(request: ApiRequest) -> Page[None]:
    query_reader = Query(request)
    page = Page[None](query_reader)
    query_reader.raise_if_invalid()
    return page
