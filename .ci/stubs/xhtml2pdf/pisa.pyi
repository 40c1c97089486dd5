from xhtml2pdf.document import pisaDocument

CreatePDF = pisaDocument
