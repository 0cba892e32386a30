from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import migrations, models

# The column of the release before stays while its code may run.
KEEP = "ALTER TABLE accounts_account ALTER COLUMN auto_approve SET DEFAULT false"
FILL = "UPDATE accounts_account SET auto_approval = 'always' WHERE auto_approve"
FILL_BACK = "UPDATE accounts_account SET auto_approve = (auto_approval = 'always')"


class Migration(migrations.Migration):
    dependencies = [("accounts", "0003_login_attempts")]

    operations = [
        migrations.AddField(
            "account",
            "auto_approval",
            models.CharField(
                choices=[
                    ("never", "never"),
                    ("nothing_similar", "when nothing similar exists"),
                    ("always", "always"),
                ],
                db_default="never",
                default="never",
                help_text="Which new connections are approved by themselves instead of waiting for a review.",
                max_length=15,
                verbose_name="approval by itself",
            ),
        ),
        migrations.AddField(
            "account",
            "review_hours",
            models.PositiveSmallIntegerField(
                db_default=48,
                default=48,
                help_text="Within how many hours a new connection is to be reviewed; then it is overdue.",
                validators=[MinValueValidator(1), MaxValueValidator(8760)],
            ),
        ),
        migrations.RunSQL(FILL, FILL_BACK),
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(KEEP, migrations.RunSQL.noop)],
            state_operations=[migrations.RemoveField("account", "auto_approve")],
        ),
    ]
