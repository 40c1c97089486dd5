"""A new table of one row, and in it the key that is set now: nothing that exists is locked or read."""

from django.conf import settings
from django.db import migrations, models
from django.utils.crypto import salted_hmac


def record_present_key(apps, schema_editor):
    digest = salted_hmac('clinic.access.key_check', '', secret=settings.SECRET_KEY, algorithm='sha256').hexdigest()
    apps.get_model('clinic', 'KeyCheck').objects.create(pk=1, digest=digest)


class Migration(migrations.Migration):

    dependencies = [
        ('clinic', '0003_staffsession'),
    ]

    operations = [
        migrations.CreateModel(
            name='KeyCheck',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('digest', models.CharField(max_length=64)),
            ],
        ),
        migrations.RunPython(record_present_key, migrations.RunPython.noop),
    ]
