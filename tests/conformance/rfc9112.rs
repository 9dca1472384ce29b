//! RFC 9112, HTTP/1.1: the message syntax and the connection.

use crate::raw::Raw;
use crate::site::{Case, Closed, OneOf, Open, Refused, run, start};

/// Section 2 and 3: the message, the request line, the target, the Host field.
#[rustfmt::skip]
const REQUEST_LINE: &[Case] = &[
    ("2.2: an empty line before the request line is ignored", "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", Open(&[200])),
    ("2.2: two empty lines before it as well", "\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", Open(&[200])),
    ("2.2: a line may end in LF alone", "GET / HTTP/1.1\nHost: a\n\n", Open(&[200])),
    ("2.2: a bare CR is no line end", "GET / HTTP/1.1\rHost: a\r\n\r\n", Refused(&[400])),
    ("2.2: a bare CR in a field value", "GET / HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n", Refused(&[400])),
    ("2.2: whitespace between the request line and the first field", "GET / HTTP/1.1\r\n Host: a\r\n\r\n", Refused(&[400])),
    ("2.3: a version without a minor number", "GET / HTTP/1\r\nHost: a\r\n\r\n", Refused(&[400, 505])),
    ("2.3: a version in lower case", "GET / http/1.1\r\nHost: a\r\n\r\n", Refused(&[400, 505])),
    ("2.3: a version of two digits", "GET / HTTP/1.10\r\nHost: a\r\n\r\n", Refused(&[400, 505])),
    ("2.3: HTTP/2 has no request line", "GET / HTTP/2.0\r\nHost: a\r\n\r\n", Refused(&[400, 505])),
    ("2.3: HTTP/3 neither", "GET / HTTP/3.0\r\nHost: a\r\n\r\n", Refused(&[400, 505])),
    ("2.3: HTTP/0.9 is not spoken", "GET /\r\n\r\n", Refused(&[400, 505])),
    ("2.3: a version that is no HTTP", "GET / SIP/2.0\r\nHost: a\r\n\r\n", Refused(&[400, 505])),
    ("3: two spaces after the method", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n", Refused(&[400])),
    ("3: a space in the target", "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", Refused(&[400])),
    ("3: no target", "GET HTTP/1.1\r\nHost: a\r\n\r\n", Refused(&[400])),
    ("3: no method", " / HTTP/1.1\r\nHost: a\r\n\r\n", Refused(&[400])),
    ("3: a tab in place of a space", "GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n", Refused(&[400])),
    ("3: a space behind the version", "GET / HTTP/1.1 \r\nHost: a\r\n\r\n", Refused(&[400, 505])),
    ("3.2.2: the absolute form without a host", "GET http:///echo HTTP/1.1\r\nHost: a\r\n\r\n", Refused(&[400])),
    ("3.1: a method is a token", "G@T / HTTP/1.1\r\nHost: a\r\n\r\n", Refused(&[400])),
    ("3.1: NUL in a method", "G\0T / HTTP/1.1\r\nHost: a\r\n\r\n", Refused(&[400])),
    ("3.2.1: the origin form", "GET /echo?a=b HTTP/1.1\r\nHost: a\r\n\r\n", Open(&[200])),
    ("3.2.1: a target without its slash", "GET echo HTTP/1.1\r\nHost: a\r\n\r\n", Refused(&[400])),
    ("3.2.2: the absolute form", "GET http://a/echo HTTP/1.1\r\nHost: a\r\n\r\n", Open(&[200])),
    ("3.2.2: the absolute form without a path", "GET http://a HTTP/1.1\r\nHost: a\r\n\r\n", Open(&[200])),
    ("3.2.2: the absolute form with a query alone", "GET http://a?b HTTP/1.1\r\nHost: a\r\n\r\n", Open(&[200])),
    ("3.2.3: the authority form is for CONNECT", "GET a:80 HTTP/1.1\r\nHost: a\r\n\r\n", Refused(&[400])),
    ("3.2.3: CONNECT asks for a tunnel that an origin has not", "CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n", Refused(&[400, 405, 501])),
    ("3.2.3: CONNECT with an origin form", "CONNECT /echo HTTP/1.1\r\nHost: a\r\n\r\n", Refused(&[400, 405, 501])),
    ("3.2.4: the asterisk form is for OPTIONS", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", Open(&[200])),
    ("3.2.4: the asterisk form with another method", "GET * HTTP/1.1\r\nHost: a\r\n\r\n", Refused(&[400])),
    ("3.2: no Host", "GET / HTTP/1.1\r\n\r\n", Refused(&[400])),
    ("3.2: two Hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", Refused(&[400])),
    ("3.2: two different Hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", Refused(&[400])),
    ("3.2: a list of Hosts", "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", Refused(&[400])),
    ("3.2: a space in Host", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", Refused(&[400])),
    ("3.2: a path in Host", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", Refused(&[400])),
    ("3.2: user information in Host", "GET / HTTP/1.1\r\nHost: me@a\r\n\r\n", Refused(&[400])),
    ("3.2: a port that is no number", "GET / HTTP/1.1\r\nHost: a:b\r\n\r\n", Refused(&[400])),
    ("3.2: a port beyond 65535", "GET / HTTP/1.1\r\nHost: a:65536\r\n\r\n", Refused(&[400])),
    ("3.2: an open bracket", "GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", Refused(&[400])),
    ("3.2: two Hosts in the absolute form", "GET http://a/ HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", Refused(&[400])),
    ("3.2: the absolute form does not make up for a missing Host", "GET http://a/ HTTP/1.1\r\n\r\n", Refused(&[400])),
    ("3.2: an address of version 6", "GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", Open(&[200])),
    ("3.2: an empty Host", "GET / HTTP/1.1\r\nHost:\r\n\r\n", Open(&[200])),
    ("3.2: two hosts that somebody joined", "GET / HTTP/1.1\r\nHost: a,b\r\n\r\n", Refused(&[400])),
    ("3.2: brackets around a name", "GET / HTTP/1.1\r\nHost: [a.example]\r\n\r\n", Refused(&[400])),
    ("3.2: something behind an address of version 6", "GET / HTTP/1.1\r\nHost: [::1]a\r\n\r\n", Refused(&[400])),
    ("3.2: a port without a host", "GET / HTTP/1.1\r\nHost: :80\r\n\r\n", Refused(&[400])),
    ("3.2: two ports", "GET / HTTP/1.1\r\nHost: a:80:80\r\n\r\n", Refused(&[400])),
    ("3.2: a whole address", "GET / HTTP/1.1\r\nHost: http://a\r\n\r\n", Refused(&[400])),
    ("3.2: an escape that is none", "GET / HTTP/1.1\r\nHost: a%zz\r\n\r\n", Refused(&[400])),
    ("3.2: quotes", "GET / HTTP/1.1\r\nHost: \"a\"\r\n\r\n", Refused(&[400])),
    ("3.2: bytes above ASCII", "GET / HTTP/1.1\r\nHost: ä\r\n\r\n", Refused(&[400])),
    ("3.2: an empty port", "GET / HTTP/1.1\r\nHost: a:\r\n\r\n", Open(&[200])),
    ("3.2: a malformed Host in HTTP/1.0", "GET / HTTP/1.0\r\nHost: a/b\r\n\r\n", Refused(&[400])),
    ("3.2: two Hosts in HTTP/1.0", "GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n", Refused(&[400])),
    ("3.2.2: the absolute form of https", "GET https://a/echo HTTP/1.1\r\nHost: a\r\n\r\n", OneOf(&[200, 400, 421])),
    ("3.2.2: the absolute form with a malformed host", "GET http://a:b/echo HTTP/1.1\r\nHost: a\r\n\r\n", Refused(&[400])),
    ("3.2.2: the absolute form with user information", "GET http://me@a/echo HTTP/1.1\r\nHost: a\r\n\r\n", Refused(&[400])),
    ("3.2.3: CONNECT without a port", "CONNECT a HTTP/1.1\r\nHost: a\r\n\r\n", Refused(&[400, 405, 501])),
    ("3.2.3: OPTIONS with an authority form", "OPTIONS a:80 HTTP/1.1\r\nHost: a\r\n\r\n", Refused(&[400])),
    ("2.3: a minor version that is not spoken", "GET / HTTP/1.2\r\nHost: a\r\n\r\n", OneOf(&[200, 400, 505])),
    ("2.2: a CR before the line's end", "GET / HTTP/1.1\r\r\nHost: a\r\n\r\n", Refused(&[400])),
    ("3.2: HTTP/1.0 needs no Host", "GET / HTTP/1.0\r\n\r\n", Closed(&[200])),
    ("3.2: HTTP/1.0 needs none to go on either", "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", Open(&[200])),
    ("2.2: many empty lines before it", "\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", Open(&[200])),
    ("2.2: what is no text at all", "\x16\x03\x01\x02\0\x01\0\x01\u{1c}\x03\x03\r\n\r\n", Refused(&[400])),
    ("2.3: a version of no number", "GET / HTTP/x.y\r\nHost: a\r\n\r\n", Refused(&[400, 505])),
    ("2.3: a version without its dot", "GET / HTTP/11\r\nHost: a\r\n\r\n", Refused(&[400, 505])),
    ("3.2.4: the asterisk form with a query", "OPTIONS *?a HTTP/1.1\r\nHost: a\r\n\r\n", Refused(&[400])),
    ("3.2.4: the asterisk form with a body", "OPTIONS * HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc", Open(&[200])),
    ("3.2.4: the asterisk form in HTTP/1.0", "OPTIONS * HTTP/1.0\r\n\r\n", Closed(&[200])),
    ("3.2.3: CONNECT with a port beyond 65535", "CONNECT a:65536 HTTP/1.1\r\nHost: a\r\n\r\n", Refused(&[400, 405, 501])),
    ("3.2.3: CONNECT with an absolute form", "CONNECT http://a:80/ HTTP/1.1\r\nHost: a:80\r\n\r\n", Refused(&[400, 405, 501])),
    ("3.2.3: what is sent into a tunnel that is refused is no request", "CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", Closed(&[501])),
    ("3.2.2: the absolute form in HTTP/1.0 without a Host", "GET http://a/echo HTTP/1.0\r\n\r\n", Closed(&[200])),
    ("3.2.2: the scheme in any case", "GET HTTP://a/echo HTTP/1.1\r\nHost: a\r\n\r\n", Open(&[200])),
    ("3.2: a label of dots", "GET / HTTP/1.1\r\nHost: a..b\r\n\r\n", OneOf(&[200, 400])),
];

/// Section 5: fields.
#[rustfmt::skip]
const FIELDS: &[Case] = &[
    ("5: whitespace around a value", "GET /echo HTTP/1.1\r\nHost: \t a \t\r\n\r\n", Open(&[200])),
    ("5: an empty value", "GET /echo HTTP/1.1\r\nHost: a\r\nX:\r\n\r\n", Open(&[200])),
    ("5: bytes above ASCII in a value", "GET /echo HTTP/1.1\r\nHost: a\r\nX: é\r\n\r\n", Open(&[200])),
    ("5.1: a space before the colon", "GET / HTTP/1.1\r\nHost : a\r\n\r\n", Refused(&[400])),
    ("5.1: a space before the colon of Content-Length", "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length : 0\r\n\r\n", Refused(&[400])),
    ("5.1: a field without a colon", "GET / HTTP/1.1\r\nHost: a\r\nnonsense\r\n\r\n", Refused(&[400])),
    ("5.1: a field without a name", "GET / HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n", Refused(&[400])),
    ("5.1: a name is a token", "GET / HTTP/1.1\r\nHost: a\r\nX(y): b\r\n\r\n", Refused(&[400])),
    ("5.1: a name of more than ASCII", "GET / HTTP/1.1\r\nHost: a\r\nÄ: b\r\n\r\n", Refused(&[400])),
    ("5.1: a tab before the colon", "GET / HTTP/1.1\r\nHost: a\r\nX\t: b\r\n\r\n", Refused(&[400])),
    ("5.1: whitespace in front of a name", "GET / HTTP/1.1\r\nHost: a\r\n X: b\r\n\r\n", Refused(&[400])),
    ("5.2: a folded line", "GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n", Refused(&[400])),
    ("5.2: a line folded by a tab", "GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n\tb\r\n\r\n", Refused(&[400])),
    ("5.2: a folded Host", "GET / HTTP/1.1\r\nHost:\r\n a\r\n\r\n", Refused(&[400])),
    ("5.2: a folded Content-Length", "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n 3\r\n\r\nabc", Refused(&[400])),
    ("5.1: NUL in a name", "GET / HTTP/1.1\r\nHost: a\r\nX\0: b\r\n\r\n", Refused(&[400])),
    ("5.1: a name in quotes", "GET / HTTP/1.1\r\nHost: a\r\n\"X\": b\r\n\r\n", Refused(&[400])),
    ("5.1: a space inside a name", "GET / HTTP/1.1\r\nHost: a\r\nX y: b\r\n\r\n", Refused(&[400])),
    ("5: a line with a space alone", "GET / HTTP/1.1\r\nHost: a\r\n \r\n\r\n", Refused(&[400])),
    ("5: names in any case", "GET / HTTP/1.1\r\nhOST: a\r\n\r\n", Open(&[200])),
    ("5: a tab inside a value", "GET / HTTP/1.1\r\nHost: a\r\nX: a\tb\r\n\r\n", Open(&[200])),
    ("5.1: a semicolon in a name", "GET / HTTP/1.1\r\nHost: a\r\nX;y: b\r\n\r\n", Refused(&[400])),
    ("5.1: CR before the colon", "GET / HTTP/1.1\r\nHost: a\r\nX\r: b\r\n\r\n", Refused(&[400])),
    ("5.2: a first field that is folded", "GET / HTTP/1.1\r\n\tHost: a\r\n\r\n", Refused(&[400])),
    ("5: a value of spaces alone", "GET / HTTP/1.1\r\nHost: a\r\nX:    \r\n\r\n", Open(&[200])),
    ("5: fields of one name are kept apart and in order", "GET /echo HTTP/1.1\r\nHost: a\r\nX: 1\r\nX: 2\r\n\r\n", Open(&[200])),
    ("5.5 of 9110: DEL in a value", "GET / HTTP/1.1\r\nHost: a\r\nX: a\x7fb\r\n\r\n", Refused(&[400])),
    ("5.5 of 9110: NUL in a value", "GET / HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n", Refused(&[400])),
    ("5.5 of 9110: a control character in a value", "GET / HTTP/1.1\r\nHost: a\r\nX: a\x08b\r\n\r\n", Refused(&[400])),
];

/// Section 6 and 7: the body's framing.
#[rustfmt::skip]
const FRAMING: &[Case] = &[
    ("6.1: chunked", "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", Open(&[200])),
    ("6.1: chunked in any case", "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: ChUnKeD\r\n\r\n3\r\nabc\r\n0\r\n\r\n", Open(&[200])),
    ("6.1: a coding that is not known", "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", Refused(&[400, 501])),
    ("6.1: chunked twice", "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n", Refused(&[400, 501])),
    ("6.1: chunked twice in two fields", "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", Refused(&[400, 501])),
    ("6.1: chunked that is not the last", "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n", Refused(&[400, 501])),
    ("6.1: identity is no coding", "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\n\r\n", Refused(&[400, 501])),
    ("6.1: a name that only looks like chunked", "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", Refused(&[400, 501])),
    ("6.1: chunked behind a vertical tab", "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n", Refused(&[400, 501])),
    ("6.1: an empty coding", "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\r\n\r\n", Refused(&[400, 501])),
    ("6.1: a coding in quotes", "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n", Refused(&[400, 501])),
    ("6.1: a coding in HTTP/1.0", "POST /echo HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", Refused(&[400, 501])),
    ("6.1: both framings are answered and the connection closed", "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", Closed(&[200])),
    ("6.1: both framings, the other way round", "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n", Closed(&[200])),
    ("6.1: identity and then chunked", "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity, chunked\r\n\r\n0\r\n\r\n", Refused(&[400, 501])),
    ("6.1: chunked with a parameter", "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked;a=b\r\n\r\n0\r\n\r\n", Refused(&[400, 501])),
    ("6.1: chunked and an empty element", "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked,\r\n\r\n0\r\n\r\n", OneOf(&[200, 400, 501])),
    ("6.1: chunked and identity in two fields", "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n", Refused(&[400, 501])),
    ("6.1: a coding in HTTP/1.0 beside a length", "POST /echo HTTP/1.0\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\nabc", Refused(&[400, 501])),
    ("6.3: a coding beside a malformed length", "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", Refused(&[400])),
    ("6.3: the same length twice in a list", "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3, 3\r\n\r\nabc", OneOf(&[200, 400])),
    ("6.3: a length with a comma", "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3,\r\n\r\nabc", OneOf(&[200, 400])),
    ("6.3: a length with a fraction", "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3.0\r\n\r\nabc", Refused(&[400])),
    ("6.3: a length in quotes", "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: \"3\"\r\n\r\nabc", Refused(&[400])),
    ("6.3: a length in HTTP/1.0", "POST /echo HTTP/1.0\r\nContent-Length: 3\r\n\r\nabc", Closed(&[200])),
    ("6.1: a tab behind chunked", "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\t\r\n\r\n0\r\n\r\n", Open(&[200])),
    ("6.1: deflate alone", "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: deflate\r\n\r\nabc", Refused(&[400, 501])),
    ("6.1: chunked in a second field behind another", "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", Refused(&[400, 501])),
    ("6.1: chunked behind a comma", "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: ,chunked\r\n\r\n0\r\n\r\n", OneOf(&[200, 400, 501])),
    ("6.3: both framings, twice", "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", Refused(&[400])),
    ("6.3: a space behind a length", "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length:3 \r\n\r\nabc", Open(&[200])),
    ("6.3: a length of more than 64 bits", "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 18446744073709551617\r\n\r\na", Refused(&[400, 413])),
    ("6.3: a length over the limit", "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999\r\n\r\n", Refused(&[413])),
    ("6.2: a length", "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc", Open(&[200])),
    ("6.2: a length of nothing", "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", Open(&[200])),
    ("6.2: leading zeros", "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 003\r\n\r\nabc", Open(&[200])),
    ("6.3: the same length twice", "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc", OneOf(&[200, 400])),
    ("6.3: two lengths", "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc", Refused(&[400])),
    ("6.3: two lengths in a list", "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3, 4\r\n\r\nabc", Refused(&[400])),
    ("6.3: a length with a sign", "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: +3\r\n\r\nabc", Refused(&[400])),
    ("6.3: a negative length", "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: -3\r\n\r\nabc", Refused(&[400])),
    ("6.3: a length in hexadecimal", "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 0x3\r\n\r\nabc", Refused(&[400])),
    ("6.3: an empty length", "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\n", Refused(&[400])),
    ("6.3: a length with a space inside", "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1 2\r\n\r\nabc", Refused(&[400])),
    ("6.3: a length that overflows", "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\nabc", Refused(&[400, 413])),
    ("6.3: a body on GET is framed all the same", "GET /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc", Open(&[200])),
    ("6.3: a request without framing has no body", "POST /echo HTTP/1.1\r\nHost: a\r\n\r\n", Open(&[200])),
    ("7.1: sizes in upper and lower case", "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nA\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n", Open(&[200])),
    ("7.1: zeros in front of a size", "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0003\r\nabc\r\n000\r\n\r\n", Open(&[200])),
    ("7.1.1: extensions are ignored", "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3;a=b;c\r\nabc\r\n0;d\r\n\r\n", Open(&[200])),
    ("7.1.2: trailers are taken", "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX: y\r\n\r\n", Open(&[200])),
    ("7.1: a chunk of nothing with a size of many zeros", "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0000000000\r\n\r\n", Open(&[200])),
    ("7.1: a tab in front of a size", "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n\t3\r\nabc\r\n0\r\n\r\n", Refused(&[400])),
    ("7.1: a letter that is no digit", "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\ng\r\nabc\r\n0\r\n\r\n", Refused(&[400])),
    ("7.1: NUL behind a size", "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\0\r\nabc\r\n0\r\n\r\n", Refused(&[400])),
    ("7.1: the request behind the last chunk", "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", Open(&[200, 200])),
    ("7.1.2: a length in trailers means nothing", "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nContent-Length: 9\r\n\r\n", Open(&[200])),
    ("7.1.2: a Host in trailers means nothing", "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nHost: b\r\n\r\n", Open(&[200])),
    ("7.1: a size whose line ends in LF alone", "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\nabc\r\n0\r\n\r\n", Refused(&[400])),
    ("7.1: a chunk that ends in LF alone", "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\n0\r\n\r\n", Refused(&[400])),
    ("7.1: a space in front of a size", "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n 3\r\nabc\r\n0\r\n\r\n", Refused(&[400])),
    ("7.1.1: LF in an extension", "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3;a\nb\r\nabc\r\n0\r\n\r\n", Refused(&[400])),
    ("7.1.2: a trailer that is no field", "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nnonsense\r\n\r\n", Refused(&[400])),
    ("7.1: a size that is no number", "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\nabc\r\n0\r\n\r\n", Refused(&[400])),
    ("7.1: no size", "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n\r\nabc\r\n0\r\n\r\n", Refused(&[400])),
    ("7.1: a negative size", "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n-3\r\nabc\r\n0\r\n\r\n", Refused(&[400])),
    ("7.1: a size in C's notation", "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0x3\r\nabc\r\n0\r\n\r\n", Refused(&[400])),
    ("7.1: a size that overflows", "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\nabc\r\n0\r\n\r\n", Refused(&[400, 413])),
    ("7.1: a size with a plus", "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n+3\r\nabc\r\n0\r\n\r\n", Refused(&[400])),
    ("7.1: a size with an underscore", "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0_3\r\nabc\r\n0\r\n\r\n", Refused(&[400])),
    ("7.1: a size that wraps round 64 bits", "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n10000000000000003\r\nabc\r\n0\r\n\r\n", Refused(&[400, 413])),
    ("7.1: no line's end behind a chunk", "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc0\r\n\r\n", Refused(&[400])),
    ("7.1: CR alone behind a size", "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\rabc\r\n0\r\n\r\n", Refused(&[400])),
    ("7.1.1: CR alone in an extension", "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3;a\rb\r\nabc\r\n0\r\n\r\n", Refused(&[400])),
    ("7.1.1: a quoted extension", "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3;a=\"b;c\"\r\nabc\r\n0\r\n\r\n", Open(&[200])),
    ("7.1.2: several trailers", "POST /echo HTTP/1.1\r\nHost: a\r\nTrailer: X, Y\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX: 1\r\nY: 2\r\n\r\n", Open(&[200])),
    ("7.1.2: a folded trailer", "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: 1\r\n 2\r\n\r\n", Refused(&[400])),
    ("7.1.2: a trailer with a space before its colon", "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX : 1\r\n\r\n", Refused(&[400])),
    ("7.1.2: NUL in a trailer", "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: a\0\r\n\r\n", Refused(&[400])),
    ("7.1: a chunk longer than its size", "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n", Refused(&[400])),
    ("7.1: a chunk shorter than its size", "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc\r\n0\r\n\r\n", Refused(&[400])),
];

/// Section 9: the connection.
#[rustfmt::skip]
const CONNECTION: &[Case] = &[
    ("9.3: HTTP/1.1 goes on", "GET / HTTP/1.1\r\nHost: a\r\n\r\n", Open(&[200])),
    ("9.3: HTTP/1.0 does not", "GET / HTTP/1.0\r\nHost: a\r\n\r\n", Closed(&[200])),
    ("9.3: HTTP/1.0 goes on when asked to", "GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n", Open(&[200])),
    ("9.3.2: pipelined requests are answered in order", "GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /no HTTP/1.1\r\nHost: a\r\n\r\nHEAD / HTTP/1.1\r\nHost: a\r\n\r\n", Open(&[200, 404, 200])),
    ("9.3.2: bodies and pipelining", "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabcPOST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", Open(&[200, 200])),
    ("9.3.2: a body that nobody reads is not the next request", "POST /ignore HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc", Open(&[200])),
    ("9.6: close is obeyed", "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", Closed(&[200])),
    ("9.6: close in a second field", "GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive\r\nConnection: close\r\n\r\n", Closed(&[200])),
    ("9.6: close in any case", "GET / HTTP/1.1\r\nHost: a\r\nConnection: Close\r\n\r\n", Closed(&[200])),
    ("9.6: close in a list", "GET / HTTP/1.1\r\nHost: a\r\nConnection: foo, close\r\n\r\n", Closed(&[200])),
    ("9.6: close wins over keep-alive", "GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, close\r\n\r\n", Closed(&[200])),
    ("9.6: an unknown option is ignored", "GET / HTTP/1.1\r\nHost: a\r\nConnection: foo, bar\r\n\r\n", Open(&[200])),
    ("9.6: an option that only begins with close", "GET / HTTP/1.1\r\nHost: a\r\nConnection: closed\r\n\r\n", Open(&[200])),
    ("9.6: an empty Connection", "GET / HTTP/1.1\r\nHost: a\r\nConnection:\r\n\r\n", Open(&[200])),
    ("9.6: close among empty elements", "GET / HTTP/1.1\r\nHost: a\r\nConnection: ,, close ,\r\n\r\n", Closed(&[200])),
    ("9.6: close in HTTP/1.0", "GET / HTTP/1.0\r\nConnection: close\r\n\r\n", Closed(&[200])),
    ("9.6: close behind a body", "POST /echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 3\r\n\r\nabc", Closed(&[200])),
    ("9.3: keep-alive in a list, HTTP/1.0", "GET / HTTP/1.0\r\nConnection: foo, Keep-Alive\r\n\r\n", Open(&[200])),
    ("9.3: close wins in HTTP/1.0 as well", "GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n", Closed(&[200])),
    ("9.3: a body of unknown length ends an HTTP/1.0 connection", "GET /stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", Closed(&[200])),
    ("9.3.2: an empty line between requests", "GET / HTTP/1.1\r\nHost: a\r\n\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", Open(&[200, 200])),
    ("9.3.2: a line's end behind a body", "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", Open(&[200, 200])),
    ("9.3.2: HTTP/1.0 and HTTP/1.1 on one connection", "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", Open(&[200, 200])),
    ("9.6: nothing behind close is answered", "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", Closed(&[200])),
    ("9.6: close in quotes is another option", "GET / HTTP/1.1\r\nHost: a\r\nConnection: \"close\"\r\n\r\n", Open(&[200])),
    ("9.6: a tab around close", "GET / HTTP/1.1\r\nHost: a\r\nConnection: foo,\tclose\t\r\n\r\n", Closed(&[200])),
    ("9.3: keep-alive in HTTP/1.1 says nothing new", "GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive\r\nKeep-Alive: timeout=1\r\n\r\n", Open(&[200])),
    ("9.3: HTTP/1.0 with a body goes on when asked to", "POST /echo HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 3\r\n\r\nabc", Open(&[200])),
    ("9.3.2: a HEAD between others", "HEAD /stream HTTP/1.1\r\nHost: a\r\n\r\nGET /stream HTTP/1.1\r\nHost: a\r\n\r\n", Open(&[200, 200])),
    ("9.3.2: an answer without content between others", "GET /full/204 HTTP/1.1\r\nHost: a\r\n\r\nGET /full/304 HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", Open(&[204, 304, 200])),
    ("9.6: nothing behind a bad request is answered", "GET / HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", Closed(&[400])),
];

#[tokio::test]
async fn the_request_line() {
    run(REQUEST_LINE).await;
    assert_eq!(REQUEST_LINE.len(), 80);
}

#[tokio::test]
async fn the_fields() {
    run(FIELDS).await;
    assert_eq!(FIELDS.len(), 29);
}

#[tokio::test]
async fn the_framing() {
    run(FRAMING).await;
    assert_eq!(FRAMING.len(), 81);
}

#[tokio::test]
async fn the_connection() {
    run(CONNECTION).await;
    assert_eq!(CONNECTION.len(), 31);
}

/// How many cases this file's tables hold.
pub fn count() -> usize {
    REQUEST_LINE.len() + FIELDS.len() + FRAMING.len() + CONNECTION.len()
}

/// Section 3: “all senders and recipients support request-line lengths of at least 8000 octets”.
#[tokio::test]
async fn a_request_line_may_have_8000_bytes() {
    let server = start().await;
    let mut raw = Raw::connect(server.addresses()[0]).await;
    raw.send(format!("GET /hello?{} HTTP/1.1\r\nHost: a\r\n\r\n", "q".repeat(8000))).await;
    assert_eq!(raw.answer("GET").await.0.status, 200);
    raw.send(format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "p".repeat(8000))).await;
    assert_eq!(raw.answer("GET").await.0.status, 404);
}

/// Section 3: “a request-target longer than any URI it wishes to parse MUST respond with a 414”.
#[tokio::test]
async fn too_long_a_target_is_a_414() {
    let server = start().await;
    for length in [66_000, 70_000] {
        let mut raw = Raw::connect(server.addresses()[0]).await;
        raw.send(format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "p".repeat(length))).await;
        assert_eq!(raw.answer("GET").await.0.status, 414, "{length} bytes");
        assert!(raw.ended().await);
    }
}

/// Section 5.2 of RFC 9110 and 6.5.1: what stands in trailers never becomes part of the head.
#[tokio::test]
async fn trailers_are_not_taken_for_fields() {
    let seen = seen("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-Late: 1\r\nHost: b\r\n\r\n").await;
    assert_eq!(seen["body"], "abc");
    let headers = seen["headers"].to_string();
    assert!(!headers.contains("x-late") && headers.contains("host: a"), "{headers}");
}

/// Section 6.1: no coding goes to an HTTP/1.0 client, and its connection is kept only when it is told so.
#[tokio::test]
async fn an_http_1_0_client_is_answered_in_its_own_terms() {
    let server = start().await;
    let mut raw = Raw::connect(server.addresses()[0]).await;
    raw.send("GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").await;
    let (head, _) = raw.answer("GET").await;
    assert!(
        head.header("connection").is_some_and(|value| value.eq_ignore_ascii_case("keep-alive")),
        "{}",
        head.text
    );
    raw.send("GET /stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").await;
    let (head, body) = raw.answer("GET").await;
    assert_eq!(
        (head.header("transfer-encoding"), head.header("content-length")),
        (None, None),
        "{}",
        head.text
    );
    assert_eq!(body, "one two three");
    assert!(
        head.header("connection").is_none_or(|value| !value.eq_ignore_ascii_case("keep-alive")),
        "{}",
        head.text
    );
}

/// Section 7.1.1: extensions and trailers are no way to send without end; what is too long is refused.
#[tokio::test]
async fn chunk_extensions_and_trailers_have_an_end() {
    let head = "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    let many = (0..200).map(|number| format!("X-{number}: y\r\n")).collect::<String>();
    let each = format!("1;{}\r\na\r\n", "e".repeat(1000)).repeat(100);
    for body in [
        format!("3;{}\r\nabc\r\n0\r\n\r\n", "e".repeat(40_000)),
        format!("{each}0\r\n\r\n"),
        format!("0\r\nX: {}\r\n\r\n", "t".repeat(100_000)),
        format!("0\r\n{many}\r\n"),
    ] {
        let server = start().await;
        let mut raw = Raw::connect(server.addresses()[0]).await;
        raw.send(format!("{head}{body}")).await;
        let answer = raw.head().await;
        assert!(matches!(answer.status, 400 | 413 | 431), "{}", answer.text);
    }
}

/// Section 9.6: the last answer of a connection says so.
#[tokio::test]
async fn the_last_answer_says_that_it_is_the_last() {
    let server = start().await;
    for bytes in [
        "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        "GET / HTTP/1.1\r\n\r\n",
        "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n",
        "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n",
    ] {
        let mut raw = Raw::connect(server.addresses()[0]).await;
        raw.send(bytes).await;
        let head = raw.head().await;
        assert_eq!(head.header("connection"), Some("close"), "{}", head.text);
    }
}

/// What the echo view saw of a request.
async fn seen(bytes: &str) -> serde_json::Value {
    let server = start().await;
    let mut raw = Raw::connect(server.addresses()[0]).await;
    raw.send(bytes).await;
    let (head, body) = raw.answer("POST").await;
    assert_eq!(head.status, 200, "{}", head.text);
    serde_json::from_str(&body).unwrap()
}

/// Section 3.2.2: “a server MUST ignore the received Host header field and instead replace it”.
#[tokio::test]
async fn the_absolute_form_replaces_host() {
    let seen = seen("GET http://real.example:81/echo?q HTTP/1.1\r\nHost: other\r\n\r\n").await;
    assert_eq!(seen["headers"], serde_json::json!(["host: real.example:81"]));
    assert_eq!((seen["path"].as_str(), seen["query"].as_str()), (Some("/echo"), Some("q")));
}

/// Section 6.3: “the Transfer-Encoding overrides the Content-Length … the Content-Length is removed”.
#[tokio::test]
async fn an_application_never_sees_both_framings() {
    for fields in
        ["Content-Length: 3\r\nTransfer-Encoding: chunked", "Transfer-Encoding: chunked\r\nContent-Length: 3"]
    {
        let seen =
            seen(&format!("POST /echo HTTP/1.1\r\nHost: a\r\n{fields}\r\n\r\n5\r\nabcde\r\n0\r\n\r\n")).await;
        assert_eq!(seen["body"], "abcde");
        let headers = seen["headers"].to_string();
        assert!(!headers.contains("content-length"), "{headers}");
    }
}

/// Section 7.1: chunks are put together, whatever their sizes and however their bytes arrive.
#[tokio::test]
async fn chunks_arrive_whole_byte_by_byte() {
    let server = start().await;
    let mut raw = Raw::connect(server.addresses()[0]).await;
    let bytes = "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n2;x\r\nbc\r\n0\r\nT: v\r\n\r\n";
    for byte in bytes.as_bytes() {
        raw.send([*byte]).await;
    }
    let (head, body) = raw.answer("POST").await;
    assert_eq!(head.status, 200);
    assert_eq!(serde_json::from_str::<serde_json::Value>(&body).unwrap()["body"], "abc");
}

/// Section 8: an incomplete body ends the exchange; what came is not taken for the whole.
#[tokio::test]
async fn an_incomplete_body_is_never_taken_for_a_whole_one() {
    for bytes in [
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nabc",
        "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
    ] {
        let server = start().await;
        let mut raw = Raw::connect(server.addresses()[0]).await;
        raw.send(bytes).await;
        raw.half_close().await;
        let rest = String::from_utf8(raw.rest().await).unwrap();
        assert!(rest.is_empty() || rest.starts_with("HTTP/1.1 400"), "{rest}");
    }
}

/// Section 9.6 and 9.5: a client that has ended its own direction still gets its answer.
#[tokio::test]
async fn a_half_closed_client_gets_its_answer() {
    let server = start().await;
    let mut raw = Raw::connect(server.addresses()[0]).await;
    raw.send("GET /stream HTTP/1.1\r\nHost: a\r\n\r\n").await;
    raw.half_close().await;
    let (head, body) = raw.answer("GET").await;
    assert_eq!((head.status, &*body), (200, "one two three"));
    assert!(raw.ended().await);
}
