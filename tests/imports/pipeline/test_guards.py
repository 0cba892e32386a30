"""Which files a person must look at first."""

from imports.formats.policies import EncodedTwice
from tests.imports.customer_files import issues_of
from tests.imports.formats.test_spec import column, spec


def send_encoded_twice(send, count, format_, **options):
    names = [f"Café N°{number}".encode().decode("cp1252") if number < count else "Elm" for number in range(6)]
    rows = [f"C{number}|{name}|{name}" for number, name in enumerate(names)]
    return send.text("customer_code|profile_name|customer_alias\n" + "\n".join([*rows, ""]), format_, **options)


def test_a_file_of_which_several_customers_are_encoded_twice_is_held(send):
    format_ = spec(column("customer_alias"))
    run = send_encoded_twice(send, 4, format_)
    assert (run.status, run.held_for, run.created) == ("held", "encoded_twice", 4 + 2)
    assert "The texts of 4 customers look as if they had been encoded twice" in run.message
    assert issues_of(run) == [(2, "customer_alias", "encoded_twice")]
    assert run.issues.get().more == 3
    assert "'Café N°0' may be meant" in run.issues.first().message
    assert send_encoded_twice(send, 4, spec(column("customer_alias"), encoded_twice=EncodedTwice.WARN)).created == 6
    again = send_encoded_twice(send, 4, format_)
    assert (again.status, again.updated) == ("succeeded", 0)  # nothing of it is new


def test_a_few_customers_encoded_twice_are_warnings(send):
    format_ = spec(column("customer_alias"))
    run = send_encoded_twice(send, 3, format_, dry_run=True)
    assert (run.status, run.issues.get().more) == ("succeeded", 2)
    ignoring = spec(column("customer_alias"), encoded_twice=EncodedTwice.IGNORE)
    assert send_encoded_twice(send, 6, ignoring, dry_run=True).issues.count() == 0
