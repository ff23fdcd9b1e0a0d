# An HTTP proxy for one kind of request, "GET http://HOST/PATH": what was asked is written down, and answered here.
# usage: perl proxy.pl ADDRESS PORT LOG
use strict;
use warnings;
use IO::Socket::INET;
my ($address, $port, $log) = @ARGV;
my $server = IO::Socket::INET->new(LocalAddr => $address, LocalPort => $port, Listen => 8, ReuseAddr => 1) or die "proxy: $!\n";
while (my $client = $server->accept) {
  my $line = <$client> // '';
  while (my $header = <$client>) { last if $header =~ /^\r?\n$/ }
  open my $out, '>>', $log or die "proxy: $!\n";
  print {$out} $line =~ s/\r?\n//r, "\n";
  close $out;
  print {$client} "HTTP/1.1 200 OK\r\nContent-Length: 12\r\nConnection: close\r\n\r\nby the proxy";
  close $client;
}
