#!/usr/bin/perl
# The life of a domain by Net::EPP (Debian's libnet-epp-perl), a registrar's client that
# others wrote: net-epp.pl PORT FOLDER FRAMES PASSWORD. FOLDER has the certificates of the
# server, of reg-a and of reg-b; every frame is left in FRAMES. Dies where an answer is not
# what it should be.
use strict;
use warnings;
use Net::EPP::Simple;

my ($port, $folder, $frames, $password) = @ARGV;
my $rgp = 'urn:ietf:params:xml:ns:rgp-1.0';
my ($domain, $auth) = ('perl.tld', 'Zk3vQ8!nR5tW2yB7mX4cJ6hG9pL1sD');
my ($number, $answer) = (0, '');

# Frames as they are on the wire, not as the library understands them.
{
    no warnings 'redefine';
    my ($send, $read) = (\&Net::EPP::Protocol::send_frame, \&Net::EPP::Protocol::get_frame);
    *Net::EPP::Protocol::send_frame = sub { keep('said', $_[2]); $send->(@_) };
    *Net::EPP::Protocol::get_frame = sub { keep('heard', $answer = $read->(@_)); $answer };
}

sub keep {
    my ($side, $xml) = @_;
    open(my $file, '>:raw', sprintf('%s/%04d-%s.xml', $frames, $number++, $side)) or die $!;
    print {$file} $xml;
    close($file) or die $!;
}

# What was answered last has this code, and this in it.
sub expect {
    my ($expected, $what, @parts) = @_;
    my ($code) = $answer =~ /<result code="(\d{4})"/;
    die "$what: $answer" unless defined($code) && $code == $expected;
    index($answer, $_) >= 0 or die "$what: no $_: $answer" for @parts;
}

sub log_in {
    my ($user) = @_;
    my $epp = Net::EPP::Simple->new(
        host => '127.0.0.1', port => $port, timeout => 20, reconnect => 0, load_config => 0,
        user => $user, pass => $password, verify => 1, ca_file => "$folder/server.pem",
        cert => "$folder/$user.pem", key => "$folder/$user.key",
    ) or die "$user: $Net::EPP::Simple::Error";
    expect(1000, "login of $user");
    return $epp;
}

# Takes the message from the queue that stands first in it.
sub hear {
    my ($epp, @parts) = @_;
    $epp->request(Net::EPP::Frame::Command::Poll::Req->new);
    expect(1301, 'poll', @parts);
    my ($id) = $answer =~ /<msgQ [^>]*id="([^"]+)"/;
    my $ack = Net::EPP::Frame::Command::Poll::Ack->new;
    $ack->setMsgID($id);
    $epp->request($ack);
    expect(1000, 'ack');
}

# An update that a restore extends: by a request, or by a report with these parts.
sub restore {
    my ($epp, $op, @parts) = @_;
    my $frame = Net::EPP::Frame::Command::Update::Domain->new;
    $frame->setDomain($domain);
    my $extension = $frame->createElement('extension');
    my $update = $extension->addNewChild($rgp, 'rgp:update');
    my $restore = $update->addNewChild($rgp, 'rgp:restore');
    $restore->setAttribute('op', $op);
    if (@parts) {
        my $report = $restore->addNewChild($rgp, 'rgp:report');
        while (my ($element, $text) = splice(@parts, 0, 2)) {
            $report->addNewChild($rgp, "rgp:$element")->appendText($text);
        }
    }
    $frame->command->insertBefore($extension, $frame->clTRID);
    $epp->request($frame);
}

my ($first, $second) = (log_in('reg-a'), log_in('reg-b'));
$first->ping or die 'hello';

$first->create_contact({
    id => 'perl', email => 'person@example.com', voice => '+31.201234567', fax => '',
    authInfo => $auth,
    postalInfo => { int => {
        name => 'A. Person', org => 'Company',
        addr => { street => ['1 Way'], city => 'Town', sp => 'Land', pc => '12345', cc => 'NL' },
    } },
});
expect(1000, 'create of a contact');
$first->contact_info('perl')->{email} eq 'person@example.com' or die $answer;
my @servers = ('ns1.perl.example', 'ns2.perl.example');
for my $server (@servers) {
    $first->create_host({ name => $server, addrs => [] });
    expect(1000, "create of $server");
}
$first->check_domain($domain) or die $answer;
$first->create_domain({
    name => $domain, period => 1, registrant => 'perl', contacts => { tech => 'perl' },
    authInfo => $auth, ns => \@servers,
});
expect(1000, 'create of the domain');
$first->check_domain($domain) and die $answer;

$first->create_host({
    name => "ns1.$domain", addrs => [{ ip => '208.77.190.221', version => 'v4' }],
});
expect(1000, 'create of a host within it');
$first->update_domain({
    name => $domain, add => { ns => ["ns1.$domain"], status => ['clientHold'] },
});
expect(1000, 'update');
my $info = $first->domain_info($domain);
expect(1000, 'info', 's="clientHold"', ">ns1.$domain<");
@{$info->{ns}} == 3 or die $answer;
$first->update_domain({
    name => $domain, rem => { status => ['clientHold'] }, chg => { authInfo => $auth },
});
expect(1000, 'second update');

$second->domain_transfer_request($domain, $auth, 1);
expect(1001, 'transfer', 'trStatus>pending<');
hear($first, 'trStatus>pending<', 'reID>reg-b<');
$first->domain_transfer_approve($domain);
expect(1000, 'approval');
hear($second, 'trStatus>clientApproved<');
$info = $second->domain_info($domain);
expect(1000, 'info after the transfer', 's="transferPeriod"', 'clID>reg-b<');

$second->renew_domain({
    name => $domain, cur_exp_date => substr($info->{exDate}, 0, 10), period => 2,
});
expect(1000, 'renewal');
$second->delete_domain($domain);
expect(1001, 'delete');
$second->domain_info($domain);
expect(1000, 'info after the delete', 's="pendingDelete"', 's="redemptionPeriod"');
my $now = Net::EPP::Frame->formatTimeStamp(time());
restore($second, 'request');
expect(1000, 'restore', 's="pendingRestore"');
restore($second, 'report',
    preData => 'as it was', postData => 'as it was', delTime => $now, resTime => $now,
    resReason => 'by mistake', statement => 'for nobody else', statement => 'all this is true',
);
expect(1000, 'report');
$second->domain_info($domain);
expect(1000, 'info after the restore');
die $answer if $answer =~ /pendingDelete|pendingRestore/;

for my $epp ($first, $second) {
    $epp->logout or die 'logout';
    expect(1500, 'logout');
}
print "$number frames\n";
