//! What is tried on the proxy by a body's framing, and what the server behind must have got of it.

use super::Case;
use super::Got::{Broken, Nothing, These};

/// Lengths, codings and chunks that two servers could read in two ways.
pub(super) const FRAMING: &[Case] = &[
    (
        "nothing odd",
        "GET /a?b=c HTTP/1.1\r\nHost: a\r\n\r\n",
        200,
        These(&["GET /a?b=c HTTP/1.1\nhost: a\n\n"]),
    ),
    (
        "a length beside a coding that ends before",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 35\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /evil HTTP/1.1\r\nHost: a\r\n\r\n",
        200,
        These(&["POST / HTTP/1.1\nhost: a\ntransfer-encoding: chunked\n\n0\r\n\r\n"]),
    ),
    (
        "a length beside a coding that goes on",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n1f\r\nGET /evil HTTP/1.1\r\nHost: a\r\n\r\n\r\n0\r\n\r\n",
        200,
        These(&[
            "POST / HTTP/1.1\nhost: a\ntransfer-encoding: chunked\n\n1F\r\nGET /evil HTTP/1.1\r\nHost: a\r\n\r\n\r\n0\r\n\r\n",
        ]),
    ),
    (
        "a coding before a length",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n",
        200,
        These(&["POST / HTTP/1.1\nhost: a\ntransfer-encoding: chunked\n\n0\r\n\r\n"]),
    ),
    (
        "an unknown coding",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        400,
        Nothing,
    ),
    (
        "an unknown coding beside a length",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: cow\r\n\r\nabc",
        400,
        Nothing,
    ),
    (
        "chunked and then another",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        400,
        Nothing,
    ),
    (
        "another and then chunked",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity, chunked\r\n\r\n0\r\n\r\n",
        501,
        Nothing,
    ),
    (
        "chunked twice in one field",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
        501,
        Nothing,
    ),
    (
        "chunked twice in two fields",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        501,
        Nothing,
    ),
    (
        "a second coding field",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: cow\r\n\r\n0\r\n\r\n",
        400,
        Nothing,
    ),
    (
        "a blank before the colon of the coding",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding : chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
        400,
        Nothing,
    ),
    (
        "a vertical tab before the coding",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \x0bchunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
        400,
        Nothing,
    ),
    (
        "a tab before the coding, which is a blank",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\tchunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        200,
        These(&["POST / HTTP/1.1\nhost: a\ntransfer-encoding: chunked\n\n3\r\nabc\r\n0\r\n\r\n"]),
    ),
    (
        "a coding in quotation marks",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n",
        400,
        Nothing,
    ),
    (
        "a coding with another name's spelling",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer_Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
        200,
        These(&["POST / HTTP/1.1\ncontent-length: 5\nhost: a\n\n0\r\n\r\n"]),
    ),
    (
        "a length with another name's spelling",
        "POST / HTTP/1.1\r\nHost: a\r\nContent_Length: 44\r\nContent-Length: 2\r\n\r\nab",
        200,
        These(&["POST / HTTP/1.1\ncontent-length: 2\nhost: a\n\nab"]),
    ),
    (
        "a coding on a continued line",
        "POST / HTTP/1.1\r\nHost: a\r\nX: y\r\n Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
        400,
        Nothing,
    ),
    (
        "a coding whose value is on a continued line",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n",
        400,
        Nothing,
    ),
    (
        "a coding behind a bare line feed",
        "POST / HTTP/1.1\r\nHost: a\r\nX: y\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        200,
        These(&["POST / HTTP/1.1\nhost: a\ntransfer-encoding: chunked\nx: y\n\n0\r\n\r\n"]),
    ),
    (
        "a coding behind a bare carriage return",
        "POST / HTTP/1.1\r\nHost: a\r\nX: y\rTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
        400,
        Nothing,
    ),
    (
        "a coding in HTTP/1.0",
        "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
        400,
        Nothing,
    ),
    (
        "two different lengths",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nContent-Length: 34\r\n\r\nGET /evil HTTP/1.1\r\nHost: a\r\n\r\n",
        400,
        Nothing,
    ),
    (
        "two different lengths in one field",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0, 34\r\n\r\nGET /evil HTTP/1.1\r\nHost: a\r\n\r\n",
        400,
        Nothing,
    ),
    (
        "one length twice",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nab",
        200,
        These(&["POST / HTTP/1.1\ncontent-length: 2\nhost: a\n\nab"]),
    ),
    ("a length with a sign", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +2\r\n\r\nab", 400, Nothing),
    ("a negative length", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\nab", 400, Nothing),
    ("a hexadecimal length", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x2\r\n\r\nab", 400, Nothing),
    (
        "a length with a blank inside",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2 2\r\n\r\nab",
        400,
        Nothing,
    ),
    ("an empty length", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: \r\n\r\nab", 400, Nothing),
    (
        "a length over all numbers",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 18446744073709551618\r\n\r\nab",
        400,
        Nothing,
    ),
    (
        "chunk extensions, which are nobody else's",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3;a=b;c=\"d\"\r\nabc\r\n0;e\r\n\r\n",
        200,
        These(&["POST / HTTP/1.1\nhost: a\ntransfer-encoding: chunked\n\n3\r\nabc\r\n0\r\n\r\n"]),
    ),
    (
        "a chunk extension with a bare line feed",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3;a\nabc\r\n0\r\n\r\nGET /evil HTTP/1.1\r\nHost: a\r\n\r\n",
        400,
        Broken,
    ),
    (
        "a chunk's size with a prefix",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0x3\r\nabc\r\n0\r\n\r\n",
        400,
        Broken,
    ),
    (
        "a chunk's size over all numbers",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n10000000000000003\r\nabc\r\n0\r\n\r\n",
        400,
        Broken,
    ),
    (
        "a chunk that is longer than its size",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcdef\r\n0\r\n\r\n",
        400,
        Broken,
    ),
    (
        "a chunk's size that ends with a bare line feed",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\nabc\r\n0\r\n\r\n",
        400,
        Broken,
    ),
    (
        "trailers that forge fields",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum, X-Forwarded-For, Content-Length, Host\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 7\r\nX-Forwarded-For: 6.6.6.6\r\nContent-Length: 90\r\nHost: evil\r\nX-Other: 1\r\n\r\n",
        200,
        These(&[
            "POST / HTTP/1.1\nhost: a\ntrailer: X-Sum, X-Forwarded-For, Content-Length, Host\ntransfer-encoding: chunked\n\n3\r\nabc\r\n0\r\nx-sum: 7\r\n\r\n",
        ]),
    ),
];
