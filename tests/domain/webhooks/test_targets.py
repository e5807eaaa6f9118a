"""Where webhooks may go, and everything that only looks like it."""

import pytest

from domain.webhooks.targets import may_connect, target_mistake

PUBLIC = (
    "https://app.example.com",
    "https://app.example.com/hooks?x=1",
    "https://app.example.com:443/hooks",
    "https://app.example.com:8443/hooks",
    "https://app.example.com./hooks",
    "https://APP.example.com/hooks",
    "https://xn--bcher-kva.example.com/",
    "https://1.app.example.com/",
    "https://8.8.8.8/hooks",
    "https://[2606:4700:4700::1111]/hooks",
)
NEAR = (
    "http://127.0.0.1:3000/hooks",
    "http://localhost:3000/hooks",
    "http://[::1]:3000/",
    "http://10.1.2.3/",
    "https://192.168.0.4:9000/",
    "http://receiver:8080/",
)
NOWHERE = (
    "http://app.example.com/",
    "ftp://app.example.com/",
    "https:/app.example.com/",
    "https:app.example.com",
    "//app.example.com/",
    "app.example.com",
    "javascript:alert(1)",
    "file:///etc/passwd",
    "unix:///run/docker.sock",
    "https://",
    "https:///path",
    "https://:443/",
    "https://user@app.example.com/",
    "https://user:password@app.example.com/",
    "https://app.example.com@127.0.0.1/",
    "https://app.example.com:0/",
    "https://app.example.com:/",
    "https://app.example.com:22/",
    "https://app.example.com:25/",
    "https://app.example.com:5432/",
    "https://app.example.com:6379/",
    "https://app.example.com:99999/",
    "https://app.example.com/#fragment",
    "https://app.example.com/a b",
    "https://app.example.com/\\evil",
    "https://app.example.com\\@127.0.0.1/",
    "https://app.example.com/\r\nX-Evil: 1",
    "https://app.example.com\x00.evil/",
    "https://bücher.example/",
    "https://ⓔxample.com/",
    "https://１２７.0.0.1/",
    "https://%31%32%37.0.0.1/",
    "https://localhost/",
    "https://localhost./",
    "https://LOCALHOST/",
    "https://api.localhost/",
    "https://intranet/",
    "https://printer.local/",
    "https://metadata.google.internal/",
    "https://router.home.arpa/",
    "https://127.0.0.1/",
    "https://127.0.0.1./",
    "https://127.1/",
    "https://127.0.1/",
    "https://0177.0.0.1/",
    "https://0x7f.0.0.1/",
    "https://0x7f000001/",
    "https://2130706433/",
    "https://017700000001/",
    "https://127.0.0.1.0x0/",
    "https://0/",
    "https://0.0.0.0/",
    "https://[::]/",
    "https://[::1]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[::ffff:7f00:1]/",
    "https://[::127.0.0.1]/",
    "https://[64:ff9b::7f00:1]/",
    "https://[2002:7f00:1::]/",
    "https://[fe80::1%25eth0]/",
    "https://[fec0::1]/",
    "https://[fd00:ec2::254]/",
    "https://[::1/",
    "https://169.254.169.254/latest/meta-data/",
    "https://100.100.100.200/",
    "https://168.63.129.16/",
    "https://192.0.0.192/",
    "https://10.0.0.1/",
    "https://172.16.0.1/",
    "https://192.168.1.1/",
    "https://224.0.0.1/",
    "https://255.255.255.255/",
    "https://" + "a" * 64 + ".example.com/",
    "https://app.example.com/" + "a" * 2048,
)
SAFE_ADDRESSES = ("8.8.8.8", "1.1.1.1", "93.184.216.34", "2606:4700:4700::1111", "2a00:1450::1")
UNSAFE_ADDRESSES = (
    "0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "100.100.100.200", "127.0.0.1", "127.255.0.1",
    "168.63.129.16", "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.1", "192.0.0.192",
    "192.0.2.1", "192.88.99.1", "192.168.0.1", "198.18.0.1", "198.51.100.1", "203.0.113.1",
    "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255",
    "::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "::ffff:0:127.0.0.1",
    "64:ff9b::7f00:1", "64:ff9b:1::1", "100::1", "2001::1", "2001:2::1", "2001:db8::1",
    "2002:7f00:1::", "3fff::1", "5f00::1", "fc00::1", "fd00:ec2::254", "fe80::1", "fe80::1%eth0",
    "fec0::1", "ff02::1", "ff0e::1", "127.1", "2130706433", "", "localhost",
)  # fmt: skip


@pytest.mark.parametrize("url", PUBLIC)
def test_a_public_address_is_fine(url: str):
    assert target_mistake(url) is None


@pytest.mark.parametrize("url", [*NOWHERE, *NEAR])
def test_everything_else_is_refused_by_its_looks(url: str):
    mistake = target_mistake(url)
    assert mistake
    assert "example" not in mistake


@pytest.mark.parametrize("url", [*NEAR, *PUBLIC])
def test_development_may_send_to_what_is_near(url: str):
    assert target_mistake(url, near=True) is None


@pytest.mark.parametrize(
    "url",
    [
        "ftp://127.0.0.1/",
        "http://user@127.0.0.1/",
        "http://127.0.0.1:0/",
        "http://169.254.169.254/latest/meta-data/",
        "http://[fe80::1%25eth0]/",
        "http://0.0.0.0/",
        "http://[::ffff:127.0.0.1]/",
        "http://127.1/",
    ],
)
def test_even_development_does_not_send_everywhere(url: str):
    assert target_mistake(url, near=True)


@pytest.mark.parametrize("address", SAFE_ADDRESSES)
def test_an_address_of_the_internet_may_be_connected_to(address: str):
    assert may_connect(address)


@pytest.mark.parametrize("address", UNSAFE_ADDRESSES)
def test_no_other_address_may_be_connected_to(address: str):
    assert not may_connect(address)
