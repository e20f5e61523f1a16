/* SPDX-License-Identifier: GPL-2.0 */
/* What bindgen reads: kernel interfaces that the kernel crate does not bind, and our own headers. */
#include <crypto/sha2.h>
#include <linux/errno.h>
#include <linux/gfp.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/vmalloc.h>
#include <linux/wait.h>
#include <asm/neon.h>
#include <asm/hwcap.h>

#include "helpers.h"
#include "../uapi/sislm.h"

/* bindgen cannot evaluate these macros: spelled as objects, as rust/bindings does. */
const gfp_t RUST_CONST_HELPER_SISLM_GFP_MODEL = GFP_KERNEL | __GFP_RETRY_MAYFAIL | __GFP_NOWARN | __GFP_ZERO;
const gfp_t RUST_CONST_HELPER_SISLM_GFP_SESSION =
	GFP_KERNEL_ACCOUNT | __GFP_RETRY_MAYFAIL | __GFP_NOWARN | __GFP_ZERO;
const __u32 RUST_CONST_HELPER_SISLM_IOC_QUERY = SISLM_IOC_QUERY;
const __u32 RUST_CONST_HELPER_SISLM_IOC_LOAD = SISLM_IOC_LOAD;
const __u32 RUST_CONST_HELPER_SISLM_IOC_UNLOAD = SISLM_IOC_UNLOAD;
const __u32 RUST_CONST_HELPER_SISLM_IOC_PROGRESS = SISLM_IOC_PROGRESS;
const __u32 RUST_CONST_HELPER_SISLM_IOC_MODEL = SISLM_IOC_MODEL;
const __u32 RUST_CONST_HELPER_SISLM_IOC_CONFIGURE = SISLM_IOC_CONFIGURE;
const __u32 RUST_CONST_HELPER_SISLM_IOC_RUN = SISLM_IOC_RUN;
const __u32 RUST_CONST_HELPER_SISLM_IOC_TOKENIZE = SISLM_IOC_TOKENIZE;
const __u32 RUST_CONST_HELPER_SISLM_IOC_DETOKENIZE = SISLM_IOC_DETOKENIZE;
const __u32 RUST_CONST_HELPER_SISLM_IOC_EVALUATE = SISLM_IOC_EVALUATE;
const __u32 RUST_CONST_HELPER_SISLM_IOC_RESULT = SISLM_IOC_RESULT;
const __u32 RUST_CONST_HELPER_SISLM_IOC_RESET = SISLM_IOC_RESET;
const __u32 RUST_CONST_HELPER_SISLM_IOC_CANCEL = SISLM_IOC_CANCEL;
const __u32 RUST_CONST_HELPER_SISLM_IOC_STATISTICS = SISLM_IOC_STATISTICS;
const __u32 RUST_CONST_HELPER_SISLM_IOC_SELFTEST = SISLM_IOC_SELFTEST;
const __u32 RUST_CONST_HELPER_SISLM_IOC_BENCH = SISLM_IOC_BENCH;
