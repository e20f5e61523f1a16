// SPDX-License-Identifier: GPL-2.0
//! /dev/sislm: the file operations.

pub(crate) mod debugfs;

use crate::{
    ioctl,
    session::{Session, Sessions},
    sys::{
        attributes::{Fact, Value},
        check::NUMERICS,
        cpu, node,
        wait::WaitQueue,
    }, //
};
use kernel::{
    fs::{File, Kiocb},
    iov::{IovIterDest, IovIterSource},
    miscdevice::{MiscDevice, MiscDeviceRegistration},
    prelude::*,
    seq_file::SeqFile,
    sync::{Arc, ArcBorrow},
};

/// The device; each open file is a [`Session`].
pub(crate) struct Device;

impl node::Device for Device {
    type Shared = Sessions;

    fn queue<'a>(session: &'a ArcBorrow<'_, Session>) -> &'a WaitQueue {
        &session.link.wait
    }

    fn fact(all: &Sessions, fact: Fact) -> Value {
        match fact {
            Fact::Models => Value::Number(all.shared.registry.count() as u64),
            Fact::Numerics => Value::Number(NUMERICS.into()),
            Fact::Sessions => Value::Number(all.shared.users.sessions().into()),
            Fact::Simd => Value::Word(cpu::simd_name(all.shared.limits.simd)),
        }
    }

    fn poll(session: ArcBorrow<'_, Session>, wanted: u32) -> u32 {
        Arc::from(session).poll(wanted)
    }
}

#[vtable]
impl MiscDevice for Device {
    type Ptr = Arc<Session>;

    fn open(_file: &File, registration: &MiscDeviceRegistration<Self>) -> Result<Arc<Session>> {
        Session::open(node::shared(registration))
    }

    fn release(session: Arc<Session>, _file: &File) {
        session.close();
    }

    fn read_iter(kiocb: Kiocb<'_, Arc<Session>>, to: &mut IovIterDest<'_>) -> Result<usize> {
        let may_wait = node::may_wait(&kiocb);
        Arc::from(kiocb.file()).read(to, may_wait)
    }

    fn write_iter(kiocb: Kiocb<'_, Arc<Session>>, from: &mut IovIterSource<'_>) -> Result<usize> {
        kiocb.file().write(from)
    }

    fn ioctl(session: ArcBorrow<'_, Session>, file: &File, cmd: u32, arg: usize) -> Result<isize> {
        ioctl::handle(&session.into(), file, cmd, arg)?;
        Ok(0)
    }

    fn show_fdinfo(session: ArcBorrow<'_, Session>, to: &SeqFile, _file: &File) {
        session.show(to);
    }
}
