<?php
/* 200 only with an answer of the database, asked as the customer's own role. */
header('Content-Type: text/plain; charset=utf-8');
header('Cache-Control: no-store');
$password = rtrim((string) file_get_contents('/run/secrets/db_password'), "\r\n");
$db = @pg_connect("host=db user=app dbname=app connect_timeout=3 options='-c statement_timeout=3000' password='"
    . addcslashes($password, "'\\") . "'");
$answer = $db ? @pg_query($db, 'select current_database()') : false;
$row = $answer ? pg_fetch_row($answer) : false;
if (!$row) {
    http_response_code(503);
    exit("no database\n");
}
echo "ok\nidentity ", getenv('FAIRLEAD_IDENTITY'), "\ndatabase ", $row[0], "\n";
