"""The data of the two demo clinics: doctors, hours, procedures, discounts and absences."""

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True)
class DemoProcedure:
    """A procedure. `weight` is its frequency among the doctor's procedures, `preparation` what a patient has to do."""

    code: str
    name: str
    price: Decimal
    minutes: int
    weight: int
    preparation: str = ""


@dataclass(frozen=True)
class DemoDoctor:
    """A doctor. `hours` are by ISO weekdays: {"135": "08:00-12:00 14:00-17:00"}; `procedures` are codes."""

    full_name: str
    council_number: str
    specialty: str
    interval: int
    hours: dict[str, str]
    procedures: str
    sees: str = "everybody"  # or "women", "children"


@dataclass(frozen=True)
class DemoDiscount:
    """A discount with either `percentage` or `fixed`; it expires `days` from today, never if None. It is meant for
    patients of `minimum_age` years or more."""

    name: str
    percentage: Decimal | None = None
    fixed: Decimal | None = None
    days: int | None = None
    minimum_age: int | None = None


@dataclass(frozen=True)
class DemoPayer:
    """A payer; `kind` is a Payer.Kind. `prices` are by the codes of procedures, "CARD 160.00" each, from the first day
    of last year on, for as many `days` from today as it has; `coming` begin with the next year."""

    name: str
    kind: str = "health_plan"
    ans_number: str = ""
    prices: str = ""
    coming: str = ""
    days: int | None = None
    requires_authorization: bool = False


@dataclass(frozen=True)
class DemoAbsence:
    """`length` whole days from the first ISO `weekday` at least `days` from today; the whole clinic if `doctor` is
    None.

    With `hours` ("14:00-18:00") it is that part of one day instead.
    """

    doctor: str | None
    days: int
    weekday: int
    length: int
    reason: str
    hours: str = ""


@dataclass(frozen=True)
class DemoUser:
    """A user of a demo clinic; the password is generated. `doctor` is the full name of the doctor whose day it is."""

    username: str
    name: str
    role: str
    doctor: str = ""


@dataclass(frozen=True)
class DemoClinic:
    """A demo clinic with everything that a manager would enter. `region` and `town` are those of its holidays."""

    slug: str
    name: str
    country: str
    time_zone: str
    language: str
    currency: str
    doctors: tuple[DemoDoctor, ...]
    procedures: tuple[DemoProcedure, ...]
    discounts: tuple[DemoDiscount, ...]
    payers: tuple[DemoPayer, ...]
    absences: tuple[DemoAbsence, ...]
    users: tuple[DemoUser, ...]
    region: str
    town: str
    address: str
    area_code: str = ""


def procedures(table: str) -> tuple[DemoProcedure, ...]:
    """Parse a table with one procedure a line: code | name | price | minutes | weight, and its preparation if any."""
    rows = (tuple(cell.strip() for cell in line.split("|")) for line in table.strip().splitlines())
    return tuple(
        DemoProcedure(code, name, Decimal(price), int(minutes), int(weight), *preparation)
        for code, name, price, minutes, weight, *preparation in rows
    )


RECIFE = DemoClinic(
    slug="recife",
    name="Clínica Boa Viagem (demonstração)",
    country="BR",
    time_zone="America/Recife",
    region="PE",
    town="Recife",
    address="Rua das Marés, 100, Boa Viagem",
    area_code="81",
    language="pt-br",
    currency="BRL",
    doctors=(
        DemoDoctor(
            "Dra. Ana Beatriz Cavalcanti",
            "CRM-PE 99001",
            "Cardiologia",
            30,
            {"124": "08:00-12:00 14:00-17:00", "5": "08:00-12:00"},
            "CARD CARD-R ECG MAPA HOLT ECO ERGO",
        ),
        DemoDoctor(
            "Dr. Marcos Vinícius de Arruda",
            "CRM-PE 99002",
            "Clínica médica",
            15,
            {"1235": "07:30-11:30", "24": "13:30-17:30", "6": "08:00-12:00"},
            "CLIN CLIN-R CHECK ATEST ECG",
        ),
        DemoDoctor(
            "Dra. Conceição Lins",
            "CRM-PE 99003",
            "Ginecologia e obstetrícia",
            20,
            {"13": "08:00-12:00 13:00-16:00", "4": "14:00-18:00", "5": "08:00-12:00"},
            "GINE GINE-R PREN COLP PAPA",
            sees="women",
        ),
        DemoDoctor(
            "Dr. João Pedro Albuquerque",
            "CRM-PE 99004",
            "Ortopedia e traumatologia",
            20,
            {"1": "14:00-19:00", "235": "09:00-12:20 14:00-17:00"},
            "ORTO ORTO-R INFI GESSO",
        ),
        DemoDoctor(
            "Dr. Ítalo Guerra",
            "CRM-PE 99005",
            "Radiologia e ultrassonografia",
            15,
            {"12345": "07:00-11:00", "3": "13:00-16:00", "6": "07:00-11:00"},
            "US-ABD US-TIR US-ART",
        ),
        DemoDoctor(
            "Dra. Yasmin Tavares Sá",
            "CRM-PE 99006",
            "Dermatologia",
            15,
            {"24": "13:00-19:00", "35": "08:30-12:00 13:30-16:30"},
            "DERM DERMA-S",
        ),
    ),
    procedures=procedures("""
        CLIN    | Consulta clínica                        | 252.00 | 30 | 8
        CLIN-R  | Retorno clínico                         |   0.00 | 15 | 4
        CHECK   | Check-up com avaliação de exames        | 480.00 | 45 | 1
        ATEST   | Avaliação para atestado ocupacional     | 120.00 | 15 | 2
        CARD    | Consulta cardiológica                   | 380.00 | 30 | 8
        CARD-R  | Retorno cardiológico                    |   0.00 | 30 | 3
        ECG     | Eletrocardiograma (ECG)                 |  95.00 | 15 | 2
        MAPA    | MAPA 24 horas, instalação               | 260.00 | 30 | 1
        HOLT    | Holter 24 horas, instalação             | 280.00 | 30 | 1
        ECO     | Ecocardiograma com Doppler              | 420.00 | 30 | 3 | Trazer exames anteriores do coração.
        ERGO    | Teste ergométrico                       | 310.00 | 30 | 2 | Roupa leve e tênis; não fumar no dia.
        GINE    | Consulta ginecológica                   | 350.00 | 40 | 7
        GINE-R  | Retorno ginecológico                    |   0.00 | 20 | 4
        PREN    | Consulta de pré-natal                   | 350.00 | 40 | 4
        COLP    | Colposcopia                             | 230.00 | 20 | 1
        PAPA    | Coleta de Papanicolau                   | 110.00 | 20 | 2
        ORTO    | Consulta ortopédica                     | 340.00 | 40 | 7
        ORTO-R  | Retorno ortopédico                      |   0.00 | 20 | 5
        INFI    | Infiltração articular                   | 390.00 | 40 | 1
        GESSO   | Troca de imobilização                   | 160.00 | 20 | 2
        US-ABD  | Ultrassonografia de abdome total        | 220.00 | 30 | 5 | Jejum de 8 horas e bexiga cheia.
        US-TIR  | Ultrassonografia da tireoide            | 190.00 | 15 | 3
        US-ART  | Ultrassonografia de articulação         | 240.00 | 30 | 3
        DERM    | Consulta dermatológica                  | 390.00 | 30 | 8
        DERMA-S | Dermatoscopia digital                   | 210.00 | 15 | 3
    """),
    discounts=(
        DemoDiscount("Idoso 60+", percentage=Decimal("20"), minimum_age=60),
        DemoDiscount("Empresa parceira", percentage=Decimal("12.5"), days=300),
        DemoDiscount("Pagamento no Pix", fixed=Decimal("15.00")),
        DemoDiscount("Campanha do mês passado", percentage=Decimal("30"), days=-12),
    ),
    payers=(
        DemoPayer(
            "Unimed",
            ans_number="999001",
            prices="CLIN 130.00, CARD 160.00, GINE 155.00, PREN 155.00, ORTO 150.00, DERM 150.00, ECO 190.00",
            coming="CLIN 138.00, CARD 170.00, GINE 165.00, PREN 165.00, ORTO 160.00, DERM 160.00",
        ),
        DemoPayer(
            "Bradesco Saúde",
            ans_number="999002",
            prices="CLIN 145.00, CARD 185.00, GINE 170.00, ORTO 168.00, DERM 170.00, US-ABD 105.00, US-TIR 92.00",
            days=75,
        ),
        DemoPayer(
            "SulAmérica",
            ans_number="999003",
            prices="CLIN 140.00, CARD 175.00, GINE 165.00, ORTO 160.00, DERM 165.00, ECO 205.00, ERGO 150.00",
            requires_authorization=True,
        ),
    ),
    absences=(
        DemoAbsence("CRM-PE 99001", 8, 4, 2, "Congresso de Cardiologia"),
        DemoAbsence("CRM-PE 99006", 14, 1, 6, "férias"),
        DemoAbsence("CRM-PE 99004", -13, 3, 1, "curso"),
        DemoAbsence(None, 18, 5, 1, "treinamento da equipe", hours="14:00-19:00"),
    ),
    users=(
        DemoUser("recepcao", "Rita de Cássia Barbosa", "receptionist"),
        DemoUser("gestor", "Severino Holanda", "manager"),
        DemoUser("master", "Luíza Maranhão", "master"),
        DemoUser("medica", "Ana Beatriz Cavalcanti", "doctor", "Dra. Ana Beatriz Cavalcanti"),
    ),
)

LISBOA = DemoClinic(
    slug="lisboa",
    name="Clínica da Estrela (demonstração)",
    country="PT",
    time_zone="Europe/Lisbon",
    region="11",
    town="Lisboa",
    address="Rua das Andorinhas, 10, Estrela",
    language="pt-pt",
    currency="EUR",
    doctors=(
        DemoDoctor(
            "Dra. Leonor Vasconcelos",
            "OM 99901",
            "Medicina Geral e Familiar",
            20,
            {"1245": "09:00-13:00 14:00-17:00", "6": "09:00-13:00"},
            "MGF MGF-S RECEI ATEST VACI",
        ),
        DemoDoctor(
            "Dr. Duarte Sá Nogueira",
            "OM 99902",
            "Cardiologia",
            30,
            {"13": "09:00-13:00 14:30-18:00", "5": "09:00-13:00"},
            "CARD CARD-S ECG ECO HOLT MAPA",
        ),
        DemoDoctor(
            "Dra. Inês Falcão",
            "OM 99903",
            "Ginecologia e Obstetrícia",
            20,
            {"2": "14:00-20:00", "34": "09:00-13:00 14:00-16:40"},
            "GINE GINE-S GRAV CITO DIU",
            sees="women",
        ),
        DemoDoctor(
            "Dr. Gonçalo Brandão",
            "OM 99904",
            "Ortopedia",
            20,
            {"124": "10:00-13:00 14:00-18:00"},
            "ORTO ORTO-S INFI",
        ),
        DemoDoctor(
            "Dra. Matilde Queirós",
            "OM 99905",
            "Pediatria",
            20,
            {"135": "09:00-12:40", "24": "15:00-19:00"},
            "PED PED-S RASTR VACI",
            sees="children",
        ),
        DemoDoctor(
            "Dr. Tomás Ávila Pimentel",
            "OM 99906",
            "Imagiologia",
            15,
            {"1235": "08:30-12:30", "4": "14:00-18:00"},
            "ECO-A ECO-T ECO-R",
        ),
    ),
    procedures=procedures("""
        MGF    | Consulta de Medicina Geral e Familiar | 65.00 | 40 | 7
        MGF-S  | Consulta de seguimento                | 45.00 | 20 | 5
        RECEI  | Renovação de receituário              | 20.00 | 20 | 2
        ATEST  | Atestado para carta de condução       | 50.00 | 20 | 2
        VACI   | Administração de vacina               | 15.00 | 20 | 2
        CARD   | Consulta de Cardiologia               | 95.00 | 30 | 7
        CARD-S | Cardiologia, consulta de seguimento   | 75.00 | 30 | 4
        ECG    | Eletrocardiograma (ECG)               | 30.00 | 30 | 2
        ECO    | Ecocardiograma transtorácico          | 110.00 | 30 | 3
        HOLT   | Holter de 24 horas, colocação         | 85.00 | 30 | 1
        MAPA   | MAPA de 24 horas, colocação           | 70.00 | 30 | 1
        GINE   | Consulta de Ginecologia               | 90.00 | 40 | 6
        GINE-S | Ginecologia, consulta de seguimento   | 70.00 | 20 | 4
        GRAV   | Vigilância da gravidez                | 90.00 | 40 | 4
        CITO   | Citologia cervicovaginal              | 40.00 | 20 | 2
        DIU    | Colocação de DIU                      | 130.00 | 40 | 1
        ORTO   | Consulta de Ortopedia                 | 90.00 | 40 | 6
        ORTO-S | Ortopedia, consulta de seguimento     | 70.00 | 20 | 5
        INFI   | Infiltração articular                 | 120.00 | 40 | 1
        PED    | Consulta de Pediatria                 | 80.00 | 40 | 6
        PED-S  | Pediatria, consulta de seguimento     | 60.00 | 20 | 4
        RASTR  | Rastreio do desenvolvimento           | 75.00 | 40 | 2
        ECO-A  | Ecografia abdominal                   | 85.00 | 30 | 5 | Jejum de 6 horas.
        ECO-T  | Ecografia da tiroide                  | 75.00 | 15 | 3
        ECO-R  | Ecografia renal e vesical             | 80.00 | 30 | 3 | Beber 1 litro de água uma hora antes.
    """),
    discounts=(
        DemoDiscount("Sénior 65+", percentage=Decimal("20"), minimum_age=65),
        DemoDiscount("Empresa parceira", percentage=Decimal("15"), days=300),
        DemoDiscount("Cartão da clínica", fixed=Decimal("10.00")),
        DemoDiscount("Campanha de outono", percentage=Decimal("25"), days=-9),
    ),
    payers=(
        DemoPayer(
            "ADSE",
            "subsystem",
            prices="MGF 25.00, CARD 32.00, GINE 32.00, GRAV 32.00, ORTO 32.00, PED 32.00, ECG 8.00, ECO 38.00",
            coming="MGF 26.00, CARD 34.00, GINE 34.00, GRAV 34.00, ORTO 34.00, PED 34.00",
        ),
        DemoPayer(
            "Médis",
            "insurance",
            prices="MGF 38.00, CARD 45.00, GINE 45.00, ORTO 45.00, PED 42.00, ECO-A 40.00, ECO-T 36.00",
            days=75,
        ),
        DemoPayer(
            "Multicare",
            "insurance",
            prices="MGF 37.00, CARD 44.00, GINE 44.00, ORTO 44.00, PED 41.00, ECO 55.00, HOLT 40.00",
            requires_authorization=True,
        ),
    ),
    absences=(
        DemoAbsence("OM 99902", 9, 3, 1, "Congresso de Cardiologia"),
        DemoAbsence("OM 99904", 14, 1, 5, "férias"),
        DemoAbsence("OM 99905", -12, 2, 1, "formação"),
        DemoAbsence(None, 19, 3, 1, "reunião da equipa", hours="17:00-20:00"),
    ),
    users=(
        DemoUser("recepcao-lisboa", "Graça Figueiredo", "receptionist"),
        DemoUser("master-lisboa", "Bernardo Teles", "master"),
    ),
)

CLINICS = (RECIFE, LISBOA)
