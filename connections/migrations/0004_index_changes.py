import django.contrib.postgres.indexes
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('connections', '0003_fill_changes'),
    ]

    operations = [
        migrations.AlterField(
            model_name='change',
            name='connection',
            field=models.ForeignKey(db_constraint=False, db_index=False, help_text='There may be none of this number any more; the account and the customer code stay.', on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='connections.connection'),
        ),
        migrations.AddIndex(
            model_name='change',
            index=models.Index(fields=['account', 'id'], name='changes_of_an_account'),
        ),
        migrations.AddIndex(
            model_name='change',
            index=models.Index(fields=['customer_code', 'account'], name='changes_of_a_customer'),
        ),
        migrations.AddIndex(
            model_name='change',
            index=django.contrib.postgres.indexes.BrinIndex(fields=['at'], name='changes_since'),
        ),
    ]
