/* A bundle: what `fairlead node bundle` makes and `fairlead-agent import` takes. A tar archive: first the
 * records, as GET /v1/nodes/{node}/bundle answers them, then images as an OCI layout (1.1). */
#ifndef FAIRLEAD_MODEL_BUNDLE_FORMAT_H
#define FAIRLEAD_MODEL_BUNDLE_FORMAT_H

#define BUNDLE_RECORDS "records.json"
enum { BUNDLE_BYTES_MAX = 64 << 20 }; /* of the records, as text */

#endif
