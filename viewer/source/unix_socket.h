/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Connecting to a Unix socket, however long its path is.
 */
#ifndef VIEWER_SOURCE_UNIX_SOCKET_H
#define VIEWER_SOURCE_UNIX_SOCKET_H

/*
 * A connected descriptor, or -1 with errno: EAGAIN if within ms milliseconds the server did not
 * even take note.
 */
int unix_connect(const char *path, unsigned int ms);

#endif /* VIEWER_SOURCE_UNIX_SOCKET_H */
