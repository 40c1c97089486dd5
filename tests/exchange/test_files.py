"""Files as programs write them, and as nobody should: what is read, and the sentence where nothing can be."""

import gc
import io
import re
import time
import zipfile
from datetime import date
from xml.etree.ElementTree import Element

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic.exchange.faults import ImportRefused
from clinic.exchange.files import MAX_BYTES, open_sheet
from tests.exchange.sheets import HEADINGS, csv_bytes, ods_by_odfpy, xlsx_by_openpyxl, xlsx_by_xlsxwriter

BODY = [['José d\'Ávila; o "Zé"', "81 91234-5678", "05/03/1980", "529.982.247-25", "ze@example.org"], ["Ana", "", "x"]]
TABLE = [HEADINGS, *BODY]


def read(content):
    sheet = open_sheet(io.BytesIO(content))
    return sheet, [cells for _number, cells in sheet.rows]


@pytest.mark.parametrize("separator", [";", ",", "\t", "|"])
@pytest.mark.parametrize(
    ("encoding", "found"),
    [
        ("utf-8", "UTF-8"),
        ("utf-8-sig", "UTF-8 (BOM)"),
        ("utf-16", "UTF-16"),
        ("utf-16-le", "UTF-16"),
        ("utf-16-be", "UTF-16"),
        ("cp1252", "Windows-1252"),
    ],
)
def test_a_csv_of_any_separator_and_alphabet_is_read(separator, encoding, found):
    sheet, rows = read(csv_bytes(TABLE, separator, encoding))
    assert (sheet.file_format, sheet.encoding, sheet.separator) == ("csv", found, separator)
    assert rows == TABLE


CELL = st.text("aé€ç;,\"' \n|=-+@1/", min_size=1, max_size=12).map(lambda text: f"x{text}x")


@given(st.lists(st.tuples(CELL, CELL, CELL).map(list), min_size=1, max_size=8))
def test_whatever_is_written_is_read_again(rows):
    rows = [["Nome", "Telefone", "Notas"], *rows]
    assert read(csv_bytes(rows))[1] == rows


@given(st.binary(max_size=300))
def test_any_bytes_are_rows_or_a_sentence(content):
    try:
        for row in read(content)[1]:
            assert all(isinstance(cell, str) for cell in row)
    except ImportRefused as refused:
        (sentence,) = refused.args
        assert sentence.endswith(".")


@pytest.mark.parametrize("made", [xlsx_by_openpyxl, xlsx_by_xlsxwriter, ods_by_odfpy])
def test_numbers_and_dates_of_workbooks_are_read_as_written(made):
    sheet, rows = read(made([HEADINGS, ["Ana", 81912345678, date(1980, 3, 5), 5299822472.0, "a@b.pt"]]))
    assert sheet.file_format == ("ods" if made is ods_by_odfpy else "xlsx")
    assert rows == [HEADINGS, ["Ana", "81912345678", "1980-03-05", "5299822472", "a@b.pt"]]


def test_a_merged_title_stands_in_a_row_of_its_own():
    _, rows = read(xlsx_by_openpyxl([["Relatório", None, None], HEADINGS, *BODY], merged="A1:E1"))
    assert rows == [["Relatório"], HEADINGS, *BODY]


def zipped(parts):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return file.getvalue()


ENTITIES = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]><x>&b;</x>'
TWO_HUNDRED = [["Nome", *(f"c{number}" for number in range(199))]]


@pytest.mark.parametrize(
    ("content", "part"),
    [
        (b"", "vazio"),
        (b"\xd0\xcf\x11\xe0old", "Excel antigo"),
        (b"\xd0\xcf\x11\xe0" + bytes(2_000_000) + "EncryptedPackage".encode("utf-16-le"), "tem senha"),
        (zipped({"content.xml": b"?", "META-INF/manifest.xml": "<manifest:encryption-data/>"}), "tem senha"),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20, "Não é uma planilha"),
        (b"%PDF-1.7\n1 0 obj << >>\n" * 90, "Não é uma planilha"),
        (b'<?xml version="1.0"?>\n<nfe><total>9</total></nfe>\n', "Não é uma planilha"),
        (b"\r\n<HTML><table><tr><td>Nome</td></tr></table>", "página da web"),
        (csv_bytes([["Nome"], ["Ana"], ["x" * 20_001]]), "linha 3 "),
        (b"PK\x03\x04broken", "danificado"),
        (zipped({"readme.txt": "x"}), "Não é uma planilha"),
        (zipped({"xl/workbook.xml": b"0" * 50_000_000}), "memória"),
        (zipped({"content.xml": ENTITIES}), "danificado"),
        (zipped({"xl/workbook.xml": ENTITIES}), "danificado"),
        (bytes(5000), "Não é uma planilha"),
        (csv_bytes(TWO_HUNDRED), "200 colunas"),
        (b'Nome;Tel\n"Ana;1\n' + b"Rui;2\n" * 9000, "linha 2 "),
        (b'Nome;Tel\nBia;0\n"Ana;1\nRui;2\n', "linha 3 começa um texto com aspas"),
        (b'Nome;Tel\nBia;0\n"Ana;1', "linha 3 começa um texto com aspas"),
        (b'Nome;Tel\n"Ana;1\nRui;"2"\nLia;3\n', "linha 2 começa um texto com aspas"),
        ("Nome;Tel\n".encode("utf-16") + b"\x00\xd8", "UTF-16"),
    ],
    ids=[
        *("empty", "old", "xlsx-password", "ods-password", "png", "pdf", "xml", "html", "long", "cut", "zip"),
        *(
            "bomb",
            "ods-dtd",
            "xlsx-dtd",
            "binary",
            "wide",
            "quote",
            "quote-soon",
            "quote-last",
            "quote-closed",
            "utf-16",
        ),
    ],
)
def test_what_cannot_be_read_has_a_sentence(content, part):
    with pytest.raises(ImportRefused, match=part):
        read(content)


def parts_of(content):
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {part.filename: archive.read(part) for part in archive.infolist()}


def damaged(content, name, method=zipfile.ZIP_DEFLATED):
    """Return the file packed by this method, with other bytes at the beginning of a part."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for part, text in parts_of(content).items():
            archive.writestr(part, text)
        offset = archive.getinfo(name).header_offset
    packed = bytearray(file.getvalue())
    begins = offset + 30 + len(name)
    packed[begins + 9 : begins + 13] = b"\xff\xff\xff\xff"
    packed[begins] = 0xFF if method == zipfile.ZIP_DEFLATED else packed[begins]
    return bytes(packed)


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
@pytest.mark.parametrize(
    ("made", "name"),
    [
        (ods_by_odfpy, "META-INF/manifest.xml"),
        (ods_by_odfpy, "content.xml"),
        (xlsx_by_openpyxl, "xl/worksheets/sheet1.xml"),
    ],
)
def test_a_damaged_part_of_a_zip_has_a_sentence(made, name, method):
    with pytest.raises(ImportRefused, match="danificado"):
        read(damaged(made(TABLE), name, method))


@pytest.mark.parametrize(("made", "name"), [(ods_by_odfpy, "content.xml"), (xlsx_by_openpyxl, "xl/workbook.xml")])
def test_a_way_of_packing_that_nobody_knows_is_damage(made, name):
    content = bytearray(damaged(made(TABLE), name, zipfile.ZIP_STORED))
    content[content.index(b"PK\x01\x02", content.rindex(name.encode()) - 46) + 10] = 9  # Deflate64
    with pytest.raises(ImportRefused, match="danificado"):
        read(bytes(content))


def test_a_file_of_a_gigabyte_is_refused_by_its_size():
    class Huge(io.BytesIO):
        def tell(self):
            return MAX_BYTES + 1

    with pytest.raises(ImportRefused, match="64 MB"):
        open_sheet(Huge(b"Nome"))


def test_a_far_cell_takes_no_memory():
    """A reader that keeps a sheet as a rectangle would need 17 billion cells."""
    far = xlsx_by_openpyxl([["Nome"]])
    with zipfile.ZipFile(io.BytesIO(far)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    sheet = parts["xl/worksheets/sheet1.xml"].decode()
    row = '<row r="1048576"><c r="XFD1048576" t="inlineStr"><is><t>x</t></is></c></row></sheetData>'
    parts["xl/worksheets/sheet1.xml"] = sheet.replace("</sheetData>", row).encode()
    with pytest.raises(ImportRefused, match="16384 colunas"):
        read(zipped(parts))


def xlsx_with(rows):
    """Return a workbook whose sheet is these elements."""
    with zipfile.ZipFile(io.BytesIO(xlsx_by_openpyxl([["Nome"]]))) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    sheet = parts["xl/worksheets/sheet1.xml"].decode()
    parts["xl/worksheets/sheet1.xml"] = sheet.replace("</sheetData>", f"{rows}</sheetData>").encode()
    return zipped(parts)


def ods_with(body):
    """Return a document whose table is these elements."""
    spaces = "".join(
        f' xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for name in ("office", "table", "text")
    )
    table = f'<table:table table:name="T">{body}</table:table>'
    return zipped({"content.xml": f"<office:document-content{spaces}>{table}</office:document-content>"})


def ods_row(text, **attributes):
    repeated = "".join(f' table:number-rows-repeated="{times}"' for times in attributes.values())
    return f"<table:table-row{repeated}><table:table-cell><text:p>{text}</text:p></table:table-cell></table:table-row>"


def test_a_text_of_megabytes_in_a_workbook_is_refused():
    long = f'<row r="2"><c r="A2" t="inlineStr"><is><t>{"ab" * 500_000}</t></is></c></row>'
    with pytest.raises(ImportRefused, match="linha 2 há um texto de mais de 20.000 letras"):
        read(xlsx_with(long))


@pytest.mark.parametrize(
    "text",
    [
        b'Nome;Notas\nAna;"um\n""dois"";\nfim"\nRui;x\n',
        b'Nome;Notas\nAna;5" de altura\nRui;"x" y\n',
        b'Nome;Notas\nAna;x\nRui;"x"',
        b'Nome;Notas\nAna;x\nRui;"x" y',
    ],
    ids=["lines", "inches", "last", "after"],
)
def test_quotes_that_close_are_no_fault(text):
    assert [row[0] for row in read(text)[1]] == ["Nome", "Ana", "Rui"]


@pytest.mark.parametrize(
    ("rows", "last"),
    [
        ('<row r="{n}"><c r="A{n}" s="0"/></row>', "Rui"),
        ('<row r="{n}" spans="1:2"/>', "Rui"),
        ('<row><c t="inlineStr"><is><t>{n}</t></is></c></row>', "90003"),
    ],
    ids=["styled", "empty", "unnumbered"],
)
def test_rows_that_only_have_a_format_are_not_read(rows, last):
    """A book whose columns were painted as a whole has a million of them."""
    value = '<row r="{n}"><c r="A{n}" t="inlineStr"><is><t>{text}</t></is></c></row>'
    body = value.format(n=2, text="Ana") + value.format(n=3, text="Rui")
    sheet = open_sheet(io.BytesIO(xlsx_with(body + "".join(rows.format(n=n) for n in range(4, 90_004)))))
    begun = time.process_time()
    cells = [row for _number, row in sheet.rows]
    assert cells[:3] == [["Nome"], ["Ana"], ["Rui"]] and cells[-1] == [last]
    if "r=" in rows:
        assert time.process_time() - begun < 1, "as long as if each was read"


def test_a_book_whose_elements_have_a_prefix_is_read_whole():
    with zipfile.ZipFile(io.BytesIO(xlsx_by_openpyxl(TABLE))) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    name = "xl/worksheets/sheet1.xml"
    prefixed = re.sub(rb"<(/?)(?=[a-z])", rb"<\1x:", parts[name]).replace(b"xmlns=", b"xmlns:x=")
    assert read(zipped(parts | {name: prefixed}))[1] == TABLE


FAR = '<row r="99999999999"><c r="A99999999999" t="inlineStr"><is><t>x</t></is></c></row>'
SPANS = 5000


@pytest.mark.parametrize(
    ("content", "part"),
    [
        (xlsx_with(FAR), "linhas"),
        (ods_with(ods_row("Nome") + ods_row("", times=99999999999) + ods_row("Ana")), "linhas"),
        (b"Nome\n" + b"\n" * 1_100_000 + b"Ana\n", "linhas"),
        (ods_with(ods_row("Nome") + ods_row("<text:span>" * SPANS + "x" + "</text:span>" * SPANS)), "danificado"),
        (ods_with(ods_row("<text:s/>" * 200_000)), "danificado"),
    ],
    ids=["xlsx", "ods", "csv", "deep", "row"],
)
def test_a_file_that_goes_on_for_ever_is_refused(content, part):
    with pytest.raises(ImportRefused, match=part):
        read(content)


def elements():
    """Return how many there are in the memory."""
    gc.collect()
    return sum(isinstance(each, Element) for each in gc.get_objects())


def test_an_ods_is_not_kept_in_the_memory():
    """All that has been read is gone, what stands outside the rows too."""
    rows = "".join(ods_row(f"Pessoa {number}") for number in range(3000))
    file = io.BytesIO(ods_with(f"{ods_row('Nome')}{'<text:p>x</text:p>' * 20_000}{rows}"))
    sheet = open_sheet(file)
    before, kept, found = elements(), 0, 0
    for number, _cells in sheet.rows:
        found += 1
        kept = elements() if number == 3000 else kept
    assert found == 3001 and kept - before < 100
