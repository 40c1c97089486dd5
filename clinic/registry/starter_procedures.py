"""What a clinic of a speciality usually does, to begin its list of procedures with: names and minutes, and no prices.

By Clinic.Country, in the words of the country; each clinic edits its own list.
"""

import re
from typing import NamedTuple


class Starter(NamedTuple):
    """A procedure as it is proposed; it takes `minutes`."""

    name: str
    minutes: int


def _starters(table: str) -> dict[str, list[Starter]]:
    """Read lines of a speciality, a colon and its procedures, `name minutes` each, separated by commas; a line without
    a colon goes on with the one before."""
    found = {}
    for line in re.sub(r"\n(?![^\n]*:)", " ", table.strip()).splitlines():
        specialty, _colon, procedures = line.partition(": ")
        words = (" ".join(text.split()).rpartition(" ") for text in procedures.split(","))
        found[specialty.strip()] = [Starter(name, int(minutes)) for name, _space, minutes in words]
    return found


STARTER_PROCEDURES: dict[str, dict[str, list[Starter]]] = {
    "BR": _starters("""
        Clínica médica: Consulta 30, Retorno 15, Check-up 45, Eletrocardiograma 20, Atestado de saúde 15
        Cardiologia: Consulta cardiológica 30, Retorno cardiológico 20, Eletrocardiograma 15,
            Ecocardiograma 40, Teste ergométrico 45, Holter 20, MAPA 20
        Dermatologia: Consulta dermatológica 30, Retorno dermatológico 15, Cauterização 20, Biópsia de
            pele 30, Retirada de pontos 15
        Endocrinologia: Consulta endocrinológica 40, Retorno endocrinológico 20, Bioimpedância 20
        Fisioterapia: Avaliação fisioterapêutica 60, Sessão de fisioterapia 50, Pilates 50
        Fonoaudiologia: Avaliação fonoaudiológica 60, Sessão de fonoaudiologia 40, Audiometria 30
        Ginecologia: Consulta ginecológica 30, Retorno ginecológico 20, Preventivo 20, Colposcopia 30,
            Inserção de DIU 40, Consulta de pré-natal 30
        Neurologia: Consulta neurológica 45, Retorno neurológico 30, Eletroencefalograma 45
        Nutrição: Consulta de nutrição 60, Retorno de nutrição 30, Bioimpedância 20
        Odontologia: Avaliação odontológica 30, Limpeza 40, Restauração 50, Extração 45, Clareamento 60
        Oftalmologia: Consulta oftalmológica 30, Retorno oftalmológico 15, Mapeamento de retina 20,
            Tonometria 10, Adaptação de lentes 30
        Ortopedia: Consulta ortopédica 30, Retorno ortopédico 15, Infiltração 30, Retirada de gesso 20
        Otorrinolaringologia: Consulta otorrinolaringológica 30, Retorno otorrinolaringológico 15,
            Lavagem de ouvido 20, Videolaringoscopia 30
        Pediatria: Consulta pediátrica 30, Retorno pediátrico 20, Puericultura 40
        Psicologia: Primeira sessão 60, Sessão de psicoterapia 50, Terapia de casal 60, Avaliação psicológica 60
        Psiquiatria: Primeira consulta psiquiátrica 60, Retorno psiquiátrico 30
        Ultrassonografia: Ultrassom de abdome 30, Ultrassom de tireoide 20, Ultrassom transvaginal 20,
            Ultrassom obstétrico 30, Doppler 40
        Urologia: Consulta urológica 30, Retorno urológico 15, Fluxometria 20
    """),
    "PT": _starters("""
        Medicina geral: Consulta 30, Consulta de seguimento 15, Eletrocardiograma 20, Atestado médico 15
        Cardiologia: Consulta de cardiologia 30, Consulta de seguimento de cardiologia 20,
            Eletrocardiograma 15, Ecocardiograma 40, Prova de esforço 45, Holter 20, MAPA 20
        Dermatologia: Consulta de dermatologia 30, Consulta de seguimento de dermatologia 15,
            Crioterapia 15, Biópsia de pele 30, Remoção de pontos 15
        Endocrinologia: Consulta de endocrinologia 40, Consulta de seguimento de endocrinologia 20
        Fisioterapia: Avaliação de fisioterapia 60, Sessão de fisioterapia 50, Pilates clínico 50
        Terapia da fala: Avaliação de terapia da fala 60, Sessão de terapia da fala 45, Audiograma 30
        Ginecologia: Consulta de ginecologia 30, Consulta de seguimento de ginecologia 20, Citologia 20,
            Colposcopia 30, Colocação de DIU 40, Consulta de gravidez 30
        Neurologia: Consulta de neurologia 45, Consulta de seguimento de neurologia 30, Eletroencefalograma 45
        Nutrição: Consulta de nutrição 60, Consulta de seguimento de nutrição 30, Bioimpedância 20
        Medicina dentária: Consulta de medicina dentária 30, Destartarização 40, Restauração 50,
            Extração 45, Branqueamento 60
        Oftalmologia: Consulta de oftalmologia 30, Consulta de seguimento de oftalmologia 15,
            Retinografia 20, Tonometria 10, Adaptação de lentes 30
        Ortopedia: Consulta de ortopedia 30, Consulta de seguimento de ortopedia 15, Infiltração 30,
            Remoção de gesso 20
        Otorrinolaringologia: Consulta de otorrinolaringologia 30, Lavagem auricular 20, Videolaringoscopia 30
        Pediatria: Consulta de pediatria 30, Consulta de seguimento de pediatria 20, Consulta de saúde infantil 40
        Psicologia: Primeira consulta de psicologia 60, Sessão de psicoterapia 50, Avaliação psicológica 60
        Psiquiatria: Primeira consulta de psiquiatria 60, Consulta de seguimento de psiquiatria 30
        Ecografia: Ecografia abdominal 30, Ecografia da tiroide 20, Ecografia ginecológica 20, Ecografia
            obstétrica 30, Ecodoppler 40
        Urologia: Consulta de urologia 30, Consulta de seguimento de urologia 15, Fluxometria 20
    """),
}
