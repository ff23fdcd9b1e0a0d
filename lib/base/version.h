/* Which Fairlead this is: told by nodes with their presence, and by both programs' metrics. */
#ifndef FAIRLEAD_BASE_VERSION_H
#define FAIRLEAD_BASE_VERSION_H

#define FAIRLEAD_VERSION "0.2"

#endif
