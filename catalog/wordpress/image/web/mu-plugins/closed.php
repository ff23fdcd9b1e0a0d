<?php
/* Plugin Name: Closed network
 * A container cannot reach its own public address: such calls would only wait for a timeout. */
add_filter('block_local_requests', '__return_true');
