//! What is tried on the proxy by targets, fields and methods, and what the server behind must have got of it.

use super::Case;
use super::Got::{Broken, Nothing, These};

/// Targets that name another host, fields that tell of the way, and what is odd beside them.
pub(super) const FIELDS: &[Case] = &[
    (
        "an absolute target: its host wins",
        "GET http://b/c?d HTTP/1.1\r\nHost: a\r\n\r\n",
        200,
        These(&["GET /c?d HTTP/1.1\nhost: b\n\n"]),
    ),
    (
        "an absolute target with a name and a password",
        "GET http://u:p@b/c HTTP/1.1\r\nHost: a\r\n\r\n",
        400,
        Nothing,
    ),
    ("an authority as target", "GET b:80 HTTP/1.1\r\nHost: a\r\n\r\n", 400, Nothing),
    ("a tunnel", "CONNECT b:80 HTTP/1.1\r\nHost: b:80\r\n\r\n", 501, Nothing),
    ("two hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400, Nothing),
    ("no host", "GET / HTTP/1.1\r\n\r\n", 400, Nothing),
    ("a host with a path", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400, Nothing),
    ("a blank in the target", "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", 400, Nothing),
    ("HTTP/0.9", "GET /\r\n\r\n", 400, Nothing),
    ("NUL in a field", "GET / HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n", 400, Nothing),
    (
        "line ends in the path, encoded",
        "GET /a%0d%0aX:%20y HTTP/1.1\r\nHost: a\r\n\r\n",
        200,
        These(&["GET /a%0d%0aX:%20y HTTP/1.1\nhost: a\n\n"]),
    ),
    (
        "a raw path with escapes, dots and slashes is kept",
        "GET //a%2Fb/../%2e%2e/c;d=e//?%7e&= HTTP/1.1\r\nHost: a\r\n\r\n",
        200,
        These(&["GET //a%2Fb/../%2e%2e/c;d=e//?%7e&= HTTP/1.1\nhost: a\n\n"]),
    ),
    (
        "an empty query is kept",
        "GET /a? HTTP/1.1\r\nHost: a\r\n\r\n",
        200,
        These(&["GET /a? HTTP/1.1\nhost: a\n\n"]),
    ),
    (
        "a connection's list that names what tells of the way",
        "GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, X-Forwarded-For, Forwarded, Via, X-Request-ID, Host\r\nX-Forwarded-For: 6.6.6.6\r\n\r\n",
        200,
        These(&["GET / HTTP/1.1\nhost: a\n\n"]),
    ),
    (
        "a connection's list removes what it names",
        "GET / HTTP/1.1\r\nHost: a\r\nConnection: X-One, x-two\r\nConnection: X-Three\r\nX-One: 1\r\nX-Two: 2\r\nX-Three: 3\r\nX-Four: 4\r\n\r\n",
        200,
        These(&["GET / HTTP/1.1\nhost: a\nx-four: 4\n\n"]),
    ),
    (
        "a connection's list that names the length",
        "POST / HTTP/1.1\r\nHost: a\r\nConnection: Content-Length\r\nContent-Length: 2\r\n\r\nab",
        200,
        These(&["POST / HTTP/1.1\ncontent-length: 2\nhost: a\n\nab"]),
    ),
    (
        "fields of one connection alone",
        "GET / HTTP/1.1\r\nHost: a\r\nKeep-Alive: 5\r\nProxy-Connection: close\r\nProxy-Authorization: x\r\nTE: gzip\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA\r\nProxy: http://evil\r\n\r\n",
        200,
        These(&["GET / HTTP/1.1\nhost: a\n\n"]),
    ),
    (
        "an upgrade to h2c, through which anything could be asked",
        "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n",
        200,
        These(&["GET / HTTP/1.1\nhost: a\n\n"]),
    ),
    (
        "forged fields that tell of the way",
        "GET / HTTP/1.1\r\nHost: a\r\nForwarded: for=6.6.6.6;proto=https\r\nX-Forwarded-For: 6.6.6.6\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: evil\r\nX-Forwarded-Port: 1\r\nX-Forwarded-Prefix: /evil\r\nX-Real-IP: 6.6.6.6\r\nX-Request-ID: evil\r\n\r\n",
        200,
        These(&["GET / HTTP/1.1\nhost: a\n\n"]),
    ),
    (
        "the same with underscores",
        "GET / HTTP/1.1\r\nHost: a\r\nX_Forwarded_For: 6.6.6.6\r\nX-Forwarded_Proto: https\r\nRemote_User: admin\r\nX-Fine: 1\r\n\r\n",
        200,
        These(&["GET / HTTP/1.1\nhost: a\nx-fine: 1\n\n"]),
    ),
    (
        "a GET with a body of a known length",
        "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nab",
        200,
        These(&["GET / HTTP/1.1\ncontent-length: 2\nhost: a\n\nab"]),
    ),
    (
        "a GET with a body of an unknown length",
        "GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n",
        200,
        These(&["GET / HTTP/1.1\nhost: a\ntransfer-encoding: chunked\n\n2\r\nab\r\n0\r\n\r\n"]),
    ),
    (
        "a POST without a body says so",
        "POST / HTTP/1.1\r\nHost: a\r\n\r\n",
        200,
        These(&["POST / HTTP/1.1\ncontent-length: 0\nhost: a\n\n"]),
    ),
    ("a body that ends early", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 20\r\n\r\nab", 0, Broken),
    (
        "two requests at once are two",
        "GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n",
        200,
        These(&["GET /1 HTTP/1.1\nhost: a\n\n", "GET /2 HTTP/1.1\nhost: a\n\n"]),
    ),
    (
        "an empty line in front",
        "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
        200,
        These(&["GET / HTTP/1.1\nhost: a\n\n"]),
    ),
    (
        "an unknown method is passed on as it is",
        "PURGE /a HTTP/1.1\r\nHost: a\r\n\r\n",
        200,
        These(&["PURGE /a HTTP/1.1\ncontent-length: 0\nhost: a\n\n"]),
    ),
    ("a method that is none", "G@T / HTTP/1.1\r\nHost: a\r\n\r\n", 400, Nothing),
    ("a field's name that is none", "GET / HTTP/1.1\r\nHost: a\r\nX(y): z\r\n\r\n", 400, Nothing),
];
