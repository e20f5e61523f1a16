// SPDX-License-Identifier: MIT OR Apache-2.0
//! TRACE and RECEIPT.

use super::Fields;
use crate::raw::*;

pub(super) fn wrong(fields: &mut Fields<'_>) {
    let trace = sislm_trace::default();
    fields.invalid("trace.flags", SISLM_IOC_TRACE, &trace, |t| t.flags = 1);
    let receipt = sislm_receipt::default();
    fields.sound("receipt", SISLM_IOC_RECEIPT, &receipt);
    fields.invalid("receipt.flags", SISLM_IOC_RECEIPT, &receipt, |r| {
        r.flags = 1
    });
    fields.invalid("receipt.pad", SISLM_IOC_RECEIPT, &receipt, |r| r.pad = 1);
}
