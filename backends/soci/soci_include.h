// SPDX-License-Identifier: Apache-2.0
#pragma once

// Debian's SOCI headers were configured with Boost but their package does not bring it. Only templates that
// NERVE does not use look at these two macros, so undefining them changes no layout.
#include <soci/soci-config.h>
#undef SOCI_HAVE_BOOST
#undef SOCI_HAVE_BOOST_DATE_TIME
#include <soci/soci.h>
