<?php
/* Adminer for one server, one driver: the form asks for user, password and database only,
 * and no request can send it to another machine. */
const DRIVERS = ['server', 'sqlite', 'sqlite2', 'oracle', 'mssql', 'mongo', 'elastic', 'clickhouse', 'firebird', 'simpledb'];

foreach (DRIVERS as $driver) {
    unset($_GET[$driver]);
}
if (isset($_GET['pgsql'])) {
    $_GET['pgsql'] = 'db';
}
if (isset($_POST['auth']) && is_array($_POST['auth'])) {
    $_POST['auth']['driver'] = 'pgsql';
    $_POST['auth']['server'] = 'db';
}
/* No question to adminer.org about newer versions. */
$_COOKIE['adminer_version'] = '0';

function adminer_object()
{
    class FairleadAdminer extends Adminer
    {
        function name()
        {
            $title = getenv('APP_TITLE');
            return htmlspecialchars($title === false || $title === '' ? 'PostgreSQL' : $title, ENT_QUOTES | ENT_SUBSTITUTE, 'UTF-8');
        }

        function credentials()
        {
            return ['db', $_GET['username'] ?? '', get_password()];
        }

        function loginForm()
        {
            $field = fn (string $label, string $type, string $name, string $value) =>
                '<tr><th>' . h($label) . '<td><input type="' . $type . '" name="auth[' . $name . ']" value="' . h($value) . '" autocapitalize="off">';
            echo '<input type="hidden" name="auth[driver]" value="pgsql"><input type="hidden" name="auth[server]" value="db">',
                '<table cellspacing="0" class="layout">',
                $field(lang('Username'), 'text', 'username', $_GET['username'] ?? 'app'),
                $field(lang('Password'), 'password', 'password', ''),
                $field(lang('Database'), 'text', 'db', $_GET['db'] ?? 'app'),
                '</table><p><input type="submit" value="' . h(lang('Login')) . '">';
        }
    }

    return new FairleadAdminer();
}

require '/usr/share/adminer/adminer.php';
