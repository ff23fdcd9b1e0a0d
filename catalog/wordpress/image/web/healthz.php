<?php
/* 200 only with an answer of the database; WordPress itself answers 500 when it cannot connect. */
ini_set('mysqlnd.net_read_timeout', '3');
header('Content-Type: text/plain; charset=utf-8');
header('Cache-Control: no-store');
define('SHORTINIT', true);
require '/usr/share/wordpress/wp-load.php';
$siteurl = $wpdb->get_var("SELECT option_value FROM $wpdb->options WHERE option_name = 'siteurl'");
$state = $wpdb->get_var("SELECT value FROM fairlead_state WHERE name = 'install'");
if (!$siteurl || $state !== 'installed') {
    http_response_code(503);
    exit("no database\n");
}
echo "ok\nidentity ", getenv('FAIRLEAD_IDENTITY'), "\nsiteurl ", $siteurl, "\n";
