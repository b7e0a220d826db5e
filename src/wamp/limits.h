/* limits.h - every bound that keeps a peer from making us grow, recurse or wait for ever.
 *
 * All in one place, each with its why. Sizes are bytes, times are milliseconds. */
#ifndef WAMP_LIMITS_H
#define WAMP_LIMITS_H

/* One message, reassembled. 16 MiB is the most RawSocket can announce, so what passes on
 * one transport passes on all. */
#define LIMIT_MESSAGE_SIZE (16u * 1024 * 1024)

/* Messages that go out together as one batch, unless it is a single one: larger batches
 * save nothing any more, and each is a copy. */
#define LIMIT_BATCH (256u * 1024)

/* Nested lists and dicts. Deeper data is a mistake or an attack; 128 keeps the bit stack
 * of the reader in two words and Lua's C stack safe. */
#define LIMIT_DEPTH 128

/* A URI. Long enough for any name, short enough to be a map key and a log line. */
#define LIMIT_URI 1024

/* Keys of one options or details dict that mean nothing to us. They are kept while the
 * dict is read, to find those that come twice; 256 compared with each other take
 * microseconds. */
#define LIMIT_UNKNOWN_KEYS 256

/* Requests one session may have under way (calls, registers, subscribes, ...
 * together). */
#define LIMIT_PENDING 65536

/* Calls that one callee may have to answer. Whoever sends it more than it can do must
 * not fill the router's memory with calls under way; more than one session may wait for,
 * because many callers share a callee. */
#define LIMIT_INVOCATIONS 65536

/* Calls that wait at one registration for a callee with room (concurrency). Who comes
 * behind a thousand others would rather know than wait. */
#define LIMIT_WAITING 1000

/* Bytes of the calls that the router keeps for one caller: those that wait, and those
 * whose callee may turn them down. Two of the largest messages fit. */
#define LIMIT_DEFERRED LIMIT_QUEUE

/* What one session may hold at the router. */
#define LIMIT_SUBSCRIPTIONS 100000
#define LIMIT_REGISTRATIONS 100000

/* Events that a realm retains, and their bytes; past either the oldest is forgotten, as
 * what was said last is what somebody new wants to know. Of one topic so many may be
 * retained that are not for everybody, beside the one that is. */
#define LIMIT_RETAINED 100000
#define LIMIT_RETAINED_BYTES (64u * 1024 * 1024)
#define LIMIT_RETAINED_RESTRICTED 16

/* Retained events that answer one SUBSCRIBE to a pattern, the latest: one message must
 * not make the router send many thousands. */
#define LIMIT_RETAINED_ANSWER 1000

/* Events in one history of a realm, as the configuration may ask for, and its bytes; past
 * either the oldest goes. A realm has as many histories as its configuration names. */
#define LIMIT_HISTORY 100000
#define LIMIT_HISTORY_BYTES (64u * 1024 * 1024)

/* Testaments of one session, and their bytes: its last words, not a store. */
#define LIMIT_TESTAMENTS 100
#define LIMIT_TESTAMENT_BYTES (1024u * 1024)

/* Bytes queued towards one connection. What would go past it is not sent by the router:
 * an event is dropped and counted, a call or its result answered with an error; a
 * client's publish waits. Two of the largest messages fit. */
#define LIMIT_QUEUE (2 * LIMIT_MESSAGE_SIZE + 1024 * 1024)

/* Bytes queued towards one connection from which on the parts of a stream wait: enough
 * for a write to be worth its cost, and for nothing else to wait long behind them. */
#define LIMIT_STREAM_QUEUE (64u * 1024)

/* Parts of a stream that wait for their reader, unless the app says otherwise. A stream
 * has no flow control: past it the call ends. */
#define LIMIT_STREAM_BUFFER 1000

/* Of its queue's size, what a peer may have waiting beyond it in short messages that
 * something depends on (ERROR, SUBSCRIBED, GOODBYE ...); past that it is cut off. */
#define LIMIT_QUEUE_RESERVE(queue) ((queue) / 16)

/* Bytes of messages in a whole router process, on their way in or out or kept: what
 * fifteen of its queues hold. Past it the connection that holds most is cut off. */
#define LIMIT_MEMORY (512u * 1024 * 1024)

/* A connection that holds less than this is not the one that fills the memory. */
#define LIMIT_MEMORY_FAIR (256u * 1024)

/* Events a client keeps for a subscription whose SUBSCRIBED has not arrived yet. */
#define LIMIT_EARLY_EVENTS 1000

/* Messages that one client's message handler works on at the same time, each way. */
#define LIMIT_TAPPED 10000

/* Messages that wait for recv_message; and no more bytes than LIMIT_MESSAGE_SIZE. */
#define LIMIT_UNREAD 10000

/* Deadlines: TCP accept to a finished upgrade, upgrade to HELLO, GOODBYE to its
 * answer. */
#define LIMIT_HANDSHAKE_MS 5000
#define LIMIT_HELLO_MS 5000
#define LIMIT_GOODBYE_MS 5000

/* A connection that is being closed may go on to take what is queued for it, but not a
 * byte a second for ever. */
#define LIMIT_CLOSE_MS 30000

/* CHALLENGE to AUTHENTICATE: a person may have to type a password, or look for the token
 * that has the key. */
#define LIMIT_AUTHENTICATE_MS 60000

/* An authid, and a string in an authextra: names, keys and nonces are far shorter, and
 * what comes of them is echoed before anybody has proved anything. */
#define LIMIT_AUTH_TEXT 1024

/* An authenticator or authorizer: how long it may take; after that the answer is no. It
 * may ask a database, and somebody waits for it. */
#define LIMIT_DECISION_MS 10000

/* Requests of one session that wait for an authorizer, and their bytes. Past it they are
 * refused. */
#define LIMIT_PARKED 1000
#define LIMIT_PARKED_BYTES LIMIT_MESSAGE_SIZE

/* Answers of an authorizer that are kept for a role; the oldest goes first. A URI is a
 * kilobyte at most, so that a role keeps 11 MB at most. */
#define LIMIT_VERDICTS 10000

/* Failed attempts to join that an address has free. After each further one it waits twice
 * as long, a second at first; what is counted is forgotten when nothing has failed for so
 * long, and the oldest when there are too many addresses. */
#define LIMIT_STRIKES 10
#define LIMIT_STRIKE_WAIT_MS 60000
#define LIMIT_STRIKE_MS (15 * 60000)
#define LIMIT_STRIKE_ADDRESSES 10000

/* CANCEL in mode kill: how long the callee has to answer before the caller is told
 * instead. */
#define LIMIT_KILL_MS 30000

/* What a router may ask of a client's key derivation, and a configuration of the router's
 * own: PBKDF2 iterations and bytes of key, KiB of Argon2, and KiB times passes. Each
 * takes about a second where it is highest, and the loop stands still meanwhile. */
#define LIMIT_AUTH_ITERATIONS 1000000u
#define LIMIT_AUTH_KEY 64u
#define LIMIT_AUTH_MEMORY (256u * 1024)
#define LIMIT_AUTH_WORK (2u * 1024 * 1024)

/* SCRAM with fewer PBKDF2 iterations is refused (WAMP: SCRAM): whoever listens would try
 * passwords too fast. */
#define LIMIT_AUTH_SCRAM_LEAST 4096u

/* Ids in one answer of the meta API. As JSON they are a fifth of the largest message; who
 * asks again and again must not make the router write more than that each time. */
#define LIMIT_META_IDS 200000

/* A text among the keyword arguments of a meta procedure: the reason and the message of
 * wamp.session.kill go to every session that it ends. */
#define LIMIT_META_TEXT 1024

/* HTTP head of an upgrade, either way. */
#define LIMIT_HTTP_HEAD 8192

/* Connections one router process accepts; also sizes lws's descriptor table. */
#define LIMIT_CONNECTIONS 20000

/* And from one address (of IPv6, one network of 64 bits): half, so that who takes all
 * that he gets does not lock everybody else out. Many clients behind one proxy fit. */
#define LIMIT_CONNECTIONS_EACH (LIMIT_CONNECTIONS / 2)

#endif
