"""Municipal holidays of some towns, to begin a clinic's own list with: no library has them, and each clinic edits it.

Days that the state or district keeps already are left out where the town adds nothing to them.
"""

TOWN_HOLIDAYS: dict[str, dict[str, list[tuple[str, str]]]] = {
    "BR": {
        "Belo Horizonte": [
            ("Páscoa+60", "Corpus Christi"),
            ("15/08", "Assunção de N. Sra."),
            ("08/12", "Imaculada Conceição"),
        ],
        "Recife": [("24/06", "São João"), ("16/07", "N. Sra. do Carmo"), ("08/12", "N. Sra. da Conceição")],
        "Rio de Janeiro": [("20/01", "São Sebastião")],
        "Salvador": [
            ("Páscoa+60", "Corpus Christi"),
            ("24/06", "São João"),
            ("08/12", "N. Sra. da Conceição da Praia"),
        ],
        "São Paulo": [("25/01", "Aniversário de São Paulo"), ("Páscoa+60", "Corpus Christi")],
    },
    "PT": {
        "Braga": [("24/06", "São João")],
        "Coimbra": [("04/07", "Rainha Santa Isabel")],
        "Faro": [("07/09", "Dia da Cidade")],
        "Funchal": [("21/08", "Dia da Cidade")],
        "Lisboa": [("13/06", "Santo António")],
        "Ponta Delgada": [("Páscoa+36", "Senhor Santo Cristo dos Milagres")],
        "Porto": [("24/06", "São João")],
    },
}
