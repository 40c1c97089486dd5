from django.urls import path

from clinic.web.absence import views as absence
from clinic.web.agenda import as_of, month, week
from clinic.web.agenda import views as agenda
from clinic.web.appointment import unverified
from clinic.web.appointment import views as appointment
from clinic.web.audit import views as audit
from clinic.web.booking_panel import views as booking_panel
from clinic.web.calendar import views as calendar
from clinic.web.confirmation import views as confirmation
from clinic.web.display import views as display
from clinic.web.exporting import views as exporting
from clinic.web.exporting import whole_clinic
from clinic.web.family import views as family
from clinic.web.first_clinic import views as first_clinic
from clinic.web.first_steps import views as first_steps
from clinic.web.hours import views as hours
from clinic.web.importing import views as importing
from clinic.web.integration import views as integration
from clinic.web.integrity import views as integrity
from clinic.web.keys import views as keys
from clinic.web.memo import views as memo
from clinic.web.merge import views as merge
from clinic.web.moving import views as moving
from clinic.web.own_day import views as own_day
from clinic.web.patient import seen_by
from clinic.web.patient import views as patient
from clinic.web.pending import views as pending
from clinic.web.pending.whole_list import whole_list
from clinic.web.printed import views as printed
from clinic.web.privacy import breach, consents, export, records, requests
from clinic.web.queue import views as queue
from clinic.web.recall import views as recall
from clinic.web.report import views as report
from clinic.web.series import views as series
from clinic.web.signin import views as signin
from clinic.web.staff import views as staff
from clinic.web.waiting import views as waiting

app_name = "web"

urlpatterns = [
    path("", agenda.today, name="home"),
    path("agenda/", agenda.today, name="agenda-today"),
    path("agenda/proximas-48-horas/", printed.download_pack, name="printed-pack"),
    path("agenda/semana/", week.choose, name="agenda-week-choose"),
    path("agenda/semana/<int:doctor>/<str:date>/", week.week, name="agenda-week"),
    path("agenda/mes/<str:month>/", month.month, name="agenda-month"),
    path("agenda/<str:date>/", agenda.day, name="agenda-day"),
    path("agenda/<str:date>/como-estava/", as_of.as_of, name="agenda-as-of"),
    path("agenda/<str:date>/lista/", printed.day_list, name="printed-day"),
    path("agenda/<str:date>/lista/pdf/", printed.day_list_pdf, name="printed-day-pdf"),
    path("horarios/ler/", hours.read, name="hours-read"),
    path("horarios/arrastar/", hours.drag, name="hours-drag"),
    path("agendamentos/novo/", booking_panel.book, name="appointment-book"),
    path("agendamentos/familia/", family.book, name="family-book"),
    path("agendamentos/conferir/", booking_panel.check, name="appointment-check"),
    path("agendamentos/desfazer/", appointment.undo_last, name="appointment-undo-last"),
    path("agendamentos/<int:pk>/", appointment.detail, name="appointment-detail"),
    path("agendamentos/<int:pk>/situacao/", appointment.change_status, name="appointment-status"),
    path("agendamentos/<int:pk>/desfazer/", appointment.undo, name="appointment-undo"),
    path("agendamentos/<int:pk>/remarcar/", booking_panel.reschedule, name="appointment-reschedule"),
    path("agendamentos/<int:pk>/mover/", moving.move, name="appointment-move"),
    path("agendamentos/<int:pk>/duracao/", moving.resize, name="appointment-resize"),
    path("agendamentos/<int:pk>/alterar/", booking_panel.change, name="appointment-change"),
    path("agendamentos/<int:pk>/cancelar/", appointment.cancel, name="appointment-cancel"),
    path("agendamentos/<int:pk>/observacoes/", appointment.edit_notes, name="appointment-notes"),
    path("agendamentos/<int:pk>/a-confirmar/usar/", unverified.use, name="appointment-use"),
    path("agendamentos/<int:pk>/a-confirmar/descartar/", unverified.discard, name="appointment-discard"),
    path("agendamentos/<int:pk>/comprovante/", printed.slip, name="printed-slip"),
    path("agendamentos/<int:pk>/comprovante/pdf/", printed.slip_pdf, name="printed-slip-pdf"),
    path("agendamentos/<int:pk>/convenio/", booking_panel.change_payer, name="appointment-payer"),
    path("agendamentos/<int:pk>/preco/", booking_panel.take_day_prices, name="appointment-day-prices"),
    path("agendamentos/<int:pk>/repetir/", series.add, name="series-add"),
    path("agendamentos/<int:pk>/retorno/", recall.add, name="recall-add"),
    path("sessoes/<int:pk>/", series.detail, name="series-detail"),
    path("sessoes/<int:pk>/remarcar/", series.move, name="series-move"),
    path("pacientes/", patient.search, name="patient-list"),
    path("pacientes/busca/", patient.options, name="patient-search"),
    path("pacientes/novo/", patient.add, name="patient-add"),
    path("pacientes/conferir/", patient.check, name="patient-check"),
    path("pacientes/<int:pk>/", patient.card, name="patient-detail"),
    path("pacientes/<int:pk>/quem-viu/", patient.seen_by, name="patient-seen-by"),
    path("pacientes/<int:pk>/quem-viu/planilha.xlsx", seen_by.workbook, name="patient-seen-by-workbook"),
    path("pacientes/<int:pk>/quem-viu/tabela.csv", seen_by.table_file, name="patient-seen-by-table"),
    path("pacientes/<int:pk>/apagar-textos/", patient.redact, name="patient-redact"),
    path("pacientes/<int:pk>/dados/", export.page, name="privacy-export"),
    path("pacientes/<int:pk>/dados/arquivo.json", export.file, name="privacy-export-file"),
    path("pacientes/<int:pk>/dados/pdf/", export.pdf, name="privacy-export-pdf"),
    path("pacientes/<int:pk>/consentimentos/", consents.page, name="privacy-consents"),
    path("pacientes/<int:pk>/pedido/", requests.ask, name="privacy-ask"),
    path("pacientes/<int:pk>/editar/", patient.edit, name="patient-edit"),
    path("pacientes/<int:pk>/conferir/", patient.check, name="patient-check"),
    path("pacientes/<int:pk>/juntar/", merge.search, name="patient-merge-search"),
    path("pacientes/<int:pk>/juntar/<int:other>/", merge.merge, name="patient-merge"),
    path("pacientes/juncoes/<int:pk>/desfazer/", merge.undo, name="patient-merge-undo"),
    path("pendencias/", pending.index, name="pending-list"),
    path("pendencias/lista-inteira/", whole_list, name="pending-whole-list"),
    path("pendencias/numero/", pending.number, name="pending-number"),
    path("pendencias/mudancas/", pending.changes, name="pending-changes"),
    path("pendencias/<int:pk>/remarcar/", pending.move, name="pending-move"),
    path("pendencias/<int:pk>/nao-atende/", pending.not_reached, name="pending-not-reached"),
    path("pendencias/<int:pk>/cancelar/", pending.cancel, name="pending-cancel"),
    path("pendencias/<int:pk>/desfazer/", pending.undo, name="pending-undo"),
    path("confirmacoes/", confirmation.index, name="confirmation-list"),
    path("confirmacoes/<str:date>/", confirmation.day, name="confirmation-day"),
    path("confirmacoes/<int:pk>/ligando/", confirmation.calling, name="confirmation-calling"),
    path("confirmacoes/<int:pk>/confirmou/", confirmation.confirm, name="confirmation-confirm"),
    path("confirmacoes/<int:pk>/nao-atende/", confirmation.not_reached, name="confirmation-not-reached"),
    path("confirmacoes/<int:pk>/cancelou/", confirmation.cancel, name="confirmation-cancel"),
    path("confirmacoes/<int:pk>/ligar-depois/", confirmation.call_later, name="confirmation-call-later"),
    path("confirmacoes/<int:pk>/desfazer/", confirmation.undo, name="confirmation-undo"),
    path("fila/", queue.index, name="queue"),
    path("fila/<int:pk>/situacao/", queue.change_status, name="queue-status"),
    path("fila/<int:pk>/chamar/", queue.call, name="queue-call"),
    path("fila/<int:pk>/prioridade/", queue.mark_priority, name="queue-priority"),
    path("fila/<int:pk>/desfazer/", queue.undo, name="queue-undo"),
    path("painel/", display.display, name="display"),
    path("painel/<str:secret>/", display.open_link, name="display-open"),
    path("recados/", memo.index, name="memo-list"),
    path("recados/novo/", memo.add, name="memo-add"),
    path("recados/<int:pk>/feito/", memo.finish, name="memo-done"),
    path("recados/<int:pk>/desfazer/", memo.reopen, name="memo-undo"),
    path("meu-dia/", own_day.index, name="own-day"),
    path("meu-dia/<int:pk>/situacao/", own_day.change_status, name="own-day-status"),
    path("meu-dia/<int:pk>/chamar/", own_day.call, name="own-day-call"),
    path("calendario/<str:secret>.ics", calendar.feed, name="calendar-feed"),
    path("fila-de-espera/", waiting.index, name="waiting-list"),
    path("fila-de-espera/novo/", waiting.add, name="waiting-add"),
    path("fila-de-espera/<int:pk>/alterar/", waiting.change, name="waiting-change"),
    path("fila-de-espera/<int:pk>/aceitou/", waiting.accept, name="waiting-accept"),
    path("fila-de-espera/<int:pk>/nao-atende/", waiting.not_reached, name="waiting-not-reached"),
    path("fila-de-espera/<int:pk>/nao-quer/", waiting.decline, name="waiting-decline"),
    path("fila-de-espera/<int:pk>/sem-horario/", waiting.detach, name="waiting-detach"),
    path("fila-de-espera/<int:pk>/retirar/", waiting.withdraw, name="waiting-withdraw"),
    path("fila-de-espera/<int:pk>/desfazer/", waiting.undo, name="waiting-undo"),
    path("relatorios/", report.index, name="report-list"),
    path("relatorios/<str:name>/", report.show, name="report"),
    path("relatorios/<str:name>/planilha.xlsx", report.workbook, name="report-workbook"),
    path("relatorios/<str:name>/<str:table>.csv", report.table_file, name="report-table"),
    path("auditoria/", audit.index, name="audit"),
    path("auditoria/planilha.xlsx", audit.workbook, name="audit-workbook"),
    path("auditoria/tabela.csv", audit.table_file, name="audit-table"),
    path("integridade/", integrity.index, name="integrity"),
    path("integridade/<str:name>/", integrity.show, name="integrity-show"),
    path("retornos/", recall.index, name="recall-list"),
    path("retornos/<int:pk>/fechar/", recall.close, name="recall-close"),
    path("retornos/<int:pk>/adiar/", recall.postpone, name="recall-postpone"),
    path("retornos/<int:pk>/desfazer/", recall.undo, name="recall-undo"),
    path("ausencias/nova/", absence.add, name="absence-add"),
    path("ausencias/atraso/", absence.delay, name="absence-delay"),
    path("ausencias/<int:pk>/desfazer/", absence.take_back, name="absence-undo"),
    path("exportar/clinica-inteira/", whole_clinic.page, name="export-clinic"),
    path("exportar/<str:name>.csv", exporting.csv_file, name="export-csv"),
    path("exportar/<str:name>.xlsx", exporting.workbook, name="export-workbook"),
    path("importar/", importing.index, name="import-list"),
    path("importar/arquivo/<str:ticket>/", importing.upload, name="import-upload"),
    path("importar/<int:pk>/", importing.show, name="import"),
    path("importar/<int:pk>/colunas/", importing.columns, name="import-columns"),
    path("importar/<int:pk>/comecar/", importing.begin, name="import-begin"),
    path("importar/<int:pk>/avancar/", importing.advance, name="import-advance"),
    path("importar/<int:pk>/desfazer/", importing.take_back, name="import-take-back"),
    path("importar/<int:pk>/descartar/", importing.discard, name="import-discard"),
    path("importar/<int:pk>/recusadas.csv", importing.refused_file, name="import-refused"),
    path("configuracoes/paineis/", display.index, name="display-links"),
    path("configuracoes/paineis/criar/", display.create, name="display-create"),
    path("configuracoes/paineis/<int:pk>/revogar/", display.revoke, name="display-revoke"),
    path("configuracoes/privacidade/", records.record, name="privacy-record"),
    path("configuracoes/privacidade/aviso/", records.notice, name="privacy-notice"),
    path("configuracoes/privacidade/prazos/", records.terms, name="privacy-terms"),
    path("configuracoes/privacidade/incidentes/", breach.incidents, name="privacy-incidents"),
    path("configuracoes/privacidade/lista/", breach.listed, name="privacy-breach"),
    path("configuracoes/privacidade/lista/arquivo.csv", breach.file, name="privacy-breach-file"),
    path("configuracoes/privacidade/pedidos/", requests.index, name="privacy-request-list"),
    path("configuracoes/privacidade/pedidos/<int:pk>/", requests.detail, name="privacy-request-detail"),
    path("configuracoes/equipe/", staff.index, name="staff"),
    path("configuracoes/equipe/convidar/", staff.invite, name="staff-invite"),
    path("configuracoes/equipe/links/<int:pk>/outro/", staff.renew, name="staff-renew"),
    path("configuracoes/equipe/links/<int:pk>/retirar/", staff.revoke, name="staff-revoke"),
    path("configuracoes/equipe/<int:pk>/senha/", staff.reset, name="staff-reset"),
    path("configuracoes/equipe/<int:pk>/sessoes/", staff.sessions, name="staff-sessions"),
    path("configuracoes/equipe/<int:pk>/sessoes/encerrar/", staff.end_session, name="staff-session-end"),
    path("configuracoes/integracoes/", integration.index, name="integration-list"),
    path("configuracoes/integracoes/tokens/", integration.release, name="integration-release"),
    path("configuracoes/integracoes/tokens/<int:pk>/revogar/", integration.revoke_token, name="integration-token-end"),
    path("configuracoes/integracoes/chaves/", integration.create_key, name="integration-key-create"),
    path("configuracoes/integracoes/chaves/<int:pk>/trocar/", integration.rotate_key, name="integration-key-rotate"),
    path("configuracoes/integracoes/chaves/<int:pk>/revogar/", integration.revoke_key, name="integration-key-end"),
    path("atalhos/", keys.keys, name="keys"),
    path("entrar/", signin.signin, name="signin"),
    path("sair/", signin.signout, name="signout"),
    path("comecar/", first_clinic.create, name="first-clinic"),
    path("comecar/passos/", first_steps.index, name="first-steps"),
    path("comecar/clinica/", first_steps.place, name="first-steps-clinica"),
    path("comecar/equipe/", first_steps.team, name="first-steps-equipe"),
    path("comecar/procedimentos/", first_steps.procedures, name="first-steps-procedimentos"),
    path("comecar/medico/", first_steps.doctor, name="first-steps-medico"),
    path("comecar/marcar/", first_steps.booking_step, name="first-steps-marcar"),
    path("acesso/<str:secret>/", staff.accept, name="staff-link"),
    path("sessoes-abertas/", staff.own_sessions, name="own-sessions"),
    path("sessoes-abertas/encerrar/", staff.end_own_session, name="own-session-end"),
    path("senha/", signin.password_change, name="password-change"),
]
