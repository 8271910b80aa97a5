#!/usr/bin/python3
"""libcurl through a tunnel, which it knows as an HTTP/2 proxy over TLS. Prints how it ended as JSON.

proxied.py NODE PKI NAME URL   asks URL through NODE:15008 as NAME; PKI is a directory with ca.pem, NAME.crt and NAME.key
"""
import io
import json
import sys

sys.path.insert(0, "/srv/weft-peers")
import pycurl  # noqa: E402

# CURLPROXY_HTTPS2, for which this pycurl may have no name.
HTTPS2 = 3


def main(node, pki, name, url):
    body = io.BytesIO()
    curl = pycurl.Curl()
    curl.setopt(pycurl.URL, url)
    curl.setopt(pycurl.PROXY, f"https://{node}")
    curl.setopt(pycurl.PROXYTYPE, HTTPS2)
    curl.setopt(pycurl.HTTPPROXYTUNNEL, 1)
    curl.setopt(pycurl.PROXY_CAINFO, f"{pki}/ca.pem")
    curl.setopt(pycurl.PROXY_SSLCERT, f"{pki}/{name}.crt")
    curl.setopt(pycurl.PROXY_SSLKEY, f"{pki}/{name}.key")
    # The certificate has a SPIFFE name and no host's.
    curl.setopt(pycurl.PROXY_SSL_VERIFYHOST, 0)
    curl.setopt(pycurl.TIMEOUT, 20)
    curl.setopt(pycurl.WRITEDATA, body)
    code, text = 0, ""
    try:
        curl.perform()
    except pycurl.error as error:
        code, text = error.args
    print(
        json.dumps(
            {
                "code": code,
                "error": text,
                "connect": curl.getinfo(pycurl.HTTP_CONNECTCODE),
                "status": curl.getinfo(pycurl.RESPONSE_CODE),
                "body": body.getvalue().decode(errors="replace"),
                "version": pycurl.version,
            }
        )
    )


main(*sys.argv[1:])
