"""A database as large as a brand's grows in years, filled by statements about sets: in minutes, not in hours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from django.db.backends.utils import CursorWrapper

ACCOUNTS = 10_000


@dataclass(frozen=True)
class Sizes:
    customers: int = 1_000_000
    reps: int = 20_000
    runs: int = 10_000
    issues: int = 1_000_000
    feeds: int = 200
    pulls: int = 100_000


CUSTOMERS = [
    "INSERT INTO connections_connection (account_id, customer_code, near_key, profile_name, customer_alias,"
    " alternate_name, website, status, source_digest, created_at, updated_at, sales_rep_id, customer_group_id)"
    " SELECT %(account)s, 'C' || lpad(n::text, 8, '0'), 'c' || lpad(n::text, 8, '0'), (ARRAY['Galerie', 'Maison',"
    " 'Harbor', 'Kiosk', 'Studio'])[1 + n %% 5] || ' ' || (ARRAY['Lumière', 'Row', 'Nord'])[1 + n %% 3] || ' ' || n,"
    " '', '', '', CASE WHEN n %% 1000 = 0 THEN 'pending' ELSE 'approved' END, '', now(), now(),"
    " (SELECT min(id) FROM lookups_salesrep WHERE account_id = %(account)s) + n %% %(reps)s,"
    " (SELECT min(id) FROM lookups_customergroup WHERE account_id = %(account)s)"
    " FROM generate_series(0, %(customers)s - 1) n",
    "INSERT INTO connections_address (connection_id, kind, code, name, address_1, address_2, city, state, zip, country,"
    " email, phone) SELECT id, 'S', 'S1', '', '', '', (ARRAY['Paris', 'Lyon', 'Oslo', 'Köln'])[1 + id %% 4], '', '',"
    " 'FR', '', '' FROM connections_connection",
    "INSERT INTO connections_buyer (connection_id, email, name) SELECT id, 'buyer' || id || '@example.com', ''"
    " FROM connections_connection",
    "INSERT INTO connections_searchdocument (connection_id, words) SELECT c.id, array_to_tsvector(ARRAY['@' ||"
    " c.account_id, '=' || c.near_key, c.near_key, '^' || replace(lower(c.profile_name), 'è', 'e'), b.email,"
    " split_part(b.email, '@', 1), 'example', 'com', lower(replace(a.city, 'ö', 'o'))] ||"
    " string_to_array(replace(lower(c.profile_name), 'è', 'e'), ' ')) FROM connections_connection c"
    " JOIN connections_buyer b ON b.connection_id = c.id JOIN connections_address a ON a.connection_id = c.id",
    "INSERT INTO connections_matchingprogress (account_id, updated_at, connection_id) SELECT %(account)s, now(), 2^62",
    "INSERT INTO connections_sighting (account_id, day, ids, is_full) SELECT %(account)s, current_date + 1,"
    " int8multirange(int8range(min(id), max(id) - 100)), true FROM connections_connection",
    "INSERT INTO connections_change (account_id, customer_code, connection_id, run_id, line, at, action, record, key,"
    " field, before, after) SELECT account_id, customer_code, id, 1 + id %% %(runs)s, 2, now(), 'created',"
    " 'connection', '', '', NULL, NULL FROM connections_connection",
]
WRONG = (
    'INSERT INTO imports_issue (run_id, line, "column", field, code, severity, message, value, customer_code)'
    " SELECT (SELECT max(id) FROM imports_run) - n %% (%(runs)s / 100 + 1), n, 'rep', 'sales_rep_code',"
    " (ARRAY['unknown_lookup', 'required', 'bad_value'])[1 + n %% 3],"
    " CASE WHEN n %% 4 = 0 THEN 'warning' ELSE 'error' END, 'The sales rep is unknown.', 'REP' || n %% 7,"
    " 'C' || lpad((n * 7 %% 2000000)::text, 8, '0') FROM generate_series(1, %(issues)s) n"
)


def fill(cursor: CursorWrapper, account_id: int, sizes: Sizes) -> None:
    """Fill the account, and add a great many others with nothing in them."""
    from imports.models import Feed, KeptFile, Message, Pull, Run

    values = {"account": account_id, **vars(sizes)}
    cursor.execute(
        "INSERT INTO accounts_account (code, name, created_at) SELECT 'brand-' || n, 'Brand ' || n, now()"
        f" FROM generate_series(1, {ACCOUNTS}) n"
    )
    for name in ("salesrep", "paymentterm"):
        email = (", email", ", 'rep' || n || '@example.com'") if name == "salesrep" else ("", "")
        cursor.execute(
            f"INSERT INTO lookups_{name} (account_id, code, name{email[0]}) SELECT %(account)s, 'X' || n,"
            f" 'Entry ' || n{email[1]} FROM generate_series(1, %(reps)s) n",
            values,
        )
    for statement in CUSTOMERS:
        cursor.execute(statement, values)
    feed: dict[str, Any] = {"account_id": account_id, "protocol": "folder"}
    feeds = Feed.objects.bulk_create(Feed(name=f"feed {number}", **feed) for number in range(sizes.feeds))
    run: dict[str, Any] = {
        "account_id": account_id,
        "format_name": "standard",
        "status": "partial",
        "created": 5,
        "rejected": 3,
        "kept_file": KeptFile.objects.create(account_id=account_id, key="benchmark"),
    }
    Run.objects.bulk_create(
        (Run(file_name=f"customers-{n}.txt", feed=feeds[n % len(feeds)], **run) for n in range(sizes.runs)),
        batch_size=1000,
    )
    pulls = (Pull(feed=feeds[n % len(feeds)], status="succeeded") for n in range(sizes.pulls))
    Pull.objects.bulk_create(pulls, batch_size=5000)
    Message.objects.bulk_create(
        Message(account_id=account_id, event="run.ended", kind="email", payload={}, key=f"k{n}") for n in range(1000)
    )
    cursor.execute(WRONG, values)
    cursor.execute("ANALYZE")
