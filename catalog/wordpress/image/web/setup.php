<?php
/* Installs once, then keeps address and schema right at each start. Exits 0 only when all is done.
 * The marker is a table in the database, so that a restored dump carries it:
 *   no table, no WordPress tables -> install; 'installing' -> our own half install, made anew;
 *   'installed', or foreign WordPress tables (a restored dump) -> upgrade. */

function fail(string $why): never
{
    fwrite(STDERR, "setup: $why\n");
    exit(1);
}

function env(string $name): string
{
    $value = getenv($name);
    if ($value === false || $value === '') {
        fail("$name is not set");
    }
    return $value;
}

function connect(): mysqli
{
    mysqli_report(MYSQLI_REPORT_OFF);
    $password = rtrim((string) file_get_contents('/run/secrets/db_password'), "\r\n");
    $until = time() + 60;
    do {
        $db = mysqli_init();
        $db->options(MYSQLI_OPT_CONNECT_TIMEOUT, 3);
        if (@$db->real_connect(getenv('DB_HOST') ?: 'db', 'app', $password, 'app')) {
            mysqli_report(MYSQLI_REPORT_ERROR | MYSQLI_REPORT_STRICT);
            return $db;
        }
        usleep(250000);
    } while (time() < $until);
    fail('no database: ' . mysqli_connect_error());
}

function mark(mysqli $db, string $state): void
{
    $db->query('CREATE TABLE IF NOT EXISTS fairlead_state (name VARCHAR(64) PRIMARY KEY, value VARCHAR(64) NOT NULL) ENGINE=InnoDB');
    $db->query("REPLACE INTO fairlead_state VALUES ('install', '$state')");
}

/* 'new', 'half' or 'there' */
function found(mysqli $db): string
{
    $state = null;
    if ($db->query("SHOW TABLES LIKE 'fairlead\\_state'")->num_rows > 0) {
        $state = $db->query("SELECT value FROM fairlead_state WHERE name = 'install'")->fetch_row()[0] ?? null;
    }
    if ($state === 'installing') {
        return 'half';
    }
    if ($state === 'installed' || $db->query("SHOW TABLES LIKE 'wp\\_options'")->num_rows > 0) {
        return 'there';
    }
    return 'new';
}

function drop_tables(mysqli $db): void
{
    foreach ($db->query("SHOW TABLES LIKE 'wp\\_%'")->fetch_all() as [$table]) {
        $db->query('DROP TABLE `' . str_replace('`', '``', $table) . '`');
    }
}

/* Themes and plugins of the image are links on the volume: they follow the image. */
function link_bundled(string $kind): void
{
    $from = "/usr/share/wordpress/wp-content/$kind";
    $to = "/var/lib/wordpress/wp-content/$kind";
    if (!is_dir($to) && !mkdir($to, 0755, true)) {
        fail("cannot make $to");
    }
    foreach (scandir($to) as $name) {
        if (is_link("$to/$name") && !file_exists("$to/$name")) {
            unlink("$to/$name");
        }
    }
    foreach (is_dir($from) ? scandir($from) : [] as $name) {
        if ($name[0] !== '.' && !file_exists("$to/$name")) {
            symlink("$from/$name", "$to/$name");
        }
    }
}

$url = rtrim(env('PUBLIC_URL'), '/');
if (!preg_match('~\Ahttps?://[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?\z~', $url)) {
    fail('PUBLIC_URL must be http(s)://NAME or http(s)://NAME:PORT, lower case');
}
set_exception_handler(function (Throwable $e) { fail($e->getMessage()); });
link_bundled('themes');
link_bundled('plugins');

$db = connect();
$found = found($db);
if ($found === 'half') {
    drop_tables($db);
}
if ($found !== 'there') {
    mark($db, 'installing');
    define('WP_INSTALLING', true);
    define('WP_SITEURL', $url);
}

/* No mail goes out from here, and nothing is fetched: the server is not up yet. */
function wp_new_blog_notification($title, $url, $user, $password)
{
}
$_SERVER['HTTP_HOST'] = 'localhost';
$_SERVER['REQUEST_URI'] = '/';
$_SERVER['REQUEST_METHOD'] = 'GET';
$_SERVER['SERVER_PROTOCOL'] = 'HTTP/1.1';
ob_start();
require '/usr/share/wordpress/wp-load.php';
require ABSPATH . 'wp-admin/includes/upgrade.php';
add_filter('pre_http_request', fn () => new WP_Error('closed', 'not during set-up'));

if ($found !== 'there') {
    $password = rtrim((string) file_get_contents('/run/secrets/admin_password'), "\r\n");
    $user = env('WP_ADMIN_USER');
    /* The login form adds a backslash before quotes and backslashes: such a password would never match. */
    if (!preg_match('~\A[\x21-\x7e]{8,}\z~', $password) || strpbrk($password, "'\"\\") !== false) {
        fail('admin_password needs 8 or more printable characters without space, quote, backslash');
    }
    if ($user !== sanitize_user($user, true) || !validate_username($user)) {
        fail('WP_ADMIN_USER is not a name that WordPress takes');
    }
    wp_install(env('WP_TITLE'), $user, env('WP_ADMIN_EMAIL'), true, '', $password, '');
    update_option('blogdescription', (string) getenv('WP_TAGLINE'));
    update_option('permalink_structure', '/%year%/%monthnum%/%day%/%postname%/');
    $made = get_user_by('login', $user);
    if (!$made || !user_can($made, 'manage_options') || !wp_check_password($password, $made->user_pass)) {
        fail('the administrator was not made');
    }
} else {
    wp_upgrade();
}
foreach (['siteurl', 'home'] as $option) {
    if ($db->query("SELECT option_value FROM wp_options WHERE option_name = '$option'")->fetch_row()[0] !== $url) {
        update_option($option, $url);
    }
}
ob_end_clean();
if ($db->query("SELECT option_value FROM wp_options WHERE option_name = 'siteurl'")->fetch_row()[0] !== $url) {
    fail('the address was not stored');
}
mark($db, 'installed');
fwrite(STDERR, "setup: $found, WordPress $wp_version, database $wp_db_version\n");
