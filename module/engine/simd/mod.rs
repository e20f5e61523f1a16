// SPDX-License-Identifier: GPL-2.0
//! Packed weights and activations, and the loops over them; each loop equals its scalar twin bit for bit.
