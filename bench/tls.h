/* tls: from tls_use() on, connections are made and used over TLS. */
#ifndef BENCH_TLS_H
#define BENCH_TLS_H

void tls_use(void);

#endif
