// SPDX-License-Identifier: MIT OR Apache-2.0
//! Whether the machine is emulated.

use std::fs;

/// Whether QEMU emulates this machine, as far as the kernel's description of the CPU shows it.
pub(crate) fn is_emulated() -> bool {
    fs::read_to_string("/proc/cpuinfo").is_ok_and(|text| shows_emulation(&text))
}

/// The clock of QEMU's emulated CPUs has 62.5 MHz, which the kernel doubles as BogoMIPS, and no other machine's has;
/// the CPU `max` has the implementer that is reserved for software.
fn shows_emulation(text: &str) -> bool {
    text.lines()
        .filter_map(|line| line.split_once(':'))
        .any(|(key, value)| {
            matches!(
                (key.trim(), value.trim()),
                ("BogoMIPS", "125.00") | ("CPU implementer", "0x00")
            )
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn machines_are_told_apart() {
        let machine = |speed: &str, maker: &str| {
            format!("processor\t: 0\nBogoMIPS\t: {speed}\nCPU implementer\t: {maker}\n")
        };
        assert!(shows_emulation(&machine("125.00", "0x41")));
        assert!(shows_emulation(&machine("2000.00", "0x00")));
        assert!(!shows_emulation(&machine("50.00", "0x41")));
        assert!(!shows_emulation(&machine("2000.00", "0x4e")));
        assert!(!shows_emulation(""));
    }
}
