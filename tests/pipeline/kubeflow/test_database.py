import pytest

from components.errors import SentiflowError, UsageError
from pipeline.kubeflow.database import CREDENTIALS, mysql_connection, open_store

GOOD = {
    "SENTIFLOW_METADATA_HOST": "db.example",
    "SENTIFLOW_METADATA_PORT": "3306",
    "SENTIFLOW_METADATA_DATABASE": "sentiflow",
    "SENTIFLOW_METADATA_USER": "runner",
    "SENTIFLOW_METADATA_PASSWORD": "pass;word",
}


def test_the_connection_holds_all_credentials():
    mysql = mysql_connection(GOOD).mysql
    assert (mysql.host, mysql.port, mysql.database) == ("db.example", 3306, "sentiflow")
    assert (mysql.user, mysql.password) == ("runner", "pass;word")
    assert mysql.skip_db_creation
    assert set(CREDENTIALS.values()) == set(GOOD)


@pytest.mark.parametrize("name", GOOD)
def test_a_missing_value_is_named(name):
    with pytest.raises(UsageError, match=f"{name} not set.*no SQLite in a cluster"):
        mysql_connection({**GOOD, name: ""})


@pytest.mark.parametrize("host", ["sqlite:///metadata.db", "/sentiflow/metadata.db", ":memory:"])
def test_sqlite_is_refused(host):
    with pytest.raises(UsageError, match="cannot share an SQLite file"):
        mysql_connection({**GOOD, "SENTIFLOW_METADATA_HOST": host})


def test_a_port_that_is_no_number():
    with pytest.raises(UsageError, match="PORT: expected a number, got 'mysql'"):
        mysql_connection({**GOOD, "SENTIFLOW_METADATA_PORT": "mysql"})


def test_a_database_that_does_not_answer_is_named_without_its_password():
    connection = mysql_connection({**GOOD, "SENTIFLOW_METADATA_HOST": "127.0.0.1",
                                   "SENTIFLOW_METADATA_PORT": "9"})  # fmt: skip
    with pytest.raises(SentiflowError, match="sentiflow on 127.0.0.1:9: not reached") as failure:
        open_store(connection, "sentiflow", patience=0)
    assert "pass;word" not in str(failure.value)
