from django.db import migrations, models

# Two transactions cannot pass each other: the original's row is locked against a change of its status, and whoever
# rejects it looks for duplicates when that is through.
CHECK_ORIGINALS = """
CREATE FUNCTION check_original_of_connection() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.duplicate_of_id IS NOT NULL THEN
        PERFORM 1 FROM connections_connection
        WHERE id = NEW.duplicate_of_id AND account_id = NEW.account_id AND status <> 'rejected'
        FOR SHARE;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'connection % cannot be a duplicate of %, which is rejected or of another account',
                NEW.id, NEW.duplicate_of_id
                USING ERRCODE = 'check_violation', CONSTRAINT = 'original_is_not_rejected';
        END IF;
    END IF;
    IF NEW.status = 'rejected' AND EXISTS (SELECT FROM connections_connection WHERE duplicate_of_id = NEW.id) THEN
        RAISE EXCEPTION 'connection % stands for duplicates and cannot be rejected', NEW.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'original_is_not_rejected';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER original_is_not_rejected
AFTER INSERT OR UPDATE OF status, duplicate_of_id, account_id ON connections_connection
FOR EACH ROW WHEN (NEW.duplicate_of_id IS NOT NULL OR NEW.status = 'rejected')
EXECUTE FUNCTION check_original_of_connection();
"""
DROP = """
DROP TRIGGER original_is_not_rejected ON connections_connection;
DROP FUNCTION check_original_of_connection();
"""


class Migration(migrations.Migration):
    dependencies = [("connections", "0006_end_duplicate_chains")]

    operations = [
        migrations.AddConstraint(
            model_name="connection",
            constraint=models.CheckConstraint(
                condition=models.Q(duplicate_of__isnull=True) | models.Q(status="rejected"),
                name="only_rejected_are_duplicates",
            ),
        ),
        migrations.AddIndex(
            model_name="connection",
            index=models.Index(
                "duplicate_of", condition=models.Q(duplicate_of__isnull=False), name="duplicates_of_a_connection"
            ),
        ),
        migrations.RunSQL(CHECK_ORIGINALS, DROP),
    ]
