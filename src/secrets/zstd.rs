//! Zstandard files: frame after frame, as `pzstd`, appending tools and `cat` write them.
//!
//! Source: RFC 8878, section 3.1.

use std::io::{self, Read};

use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

use crate::source::Peek;

/// How a frame begins.
pub(crate) const MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// A frame that holds no data of the file: user metadata, or the sizes of what follows.
pub(crate) fn is_skippable(head: &[u8]) -> bool {
    matches!(head, [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..])
}

/// All frames of a file, as one stream.
pub(crate) struct Frames<'a, 'b> {
    source: &'a mut Peek<'b>,
    decoder: FrameDecoder,
    /// Whether the decoder is inside of a frame.
    open: bool,
}

impl<'a, 'b> Frames<'a, 'b> {
    /// `window` is the most memory a frame may ask for.
    pub(crate) fn new(source: &'a mut Peek<'b>, window: u64) -> Self {
        let mut decoder = FrameDecoder::new();
        decoder.set_max_window_size(window);
        Frames {
            source,
            decoder,
            open: false,
        }
    }

    /// Begins the next frame; `false` at the end of the file.
    fn next(&mut self) -> io::Result<bool> {
        loop {
            let head = self.source.peek(8)?;
            if head.is_empty() {
                return Ok(false);
            }
            if !is_skippable(head) {
                break;
            }
            let Some(size) = head.get(4..8).and_then(|size| size.try_into().ok()) else {
                return Err(io::ErrorKind::UnexpectedEof.into());
            };
            let length = 8 + u64::from(u32::from_le_bytes(size));
            if !self.source.skip(length)? {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        self.decoder
            .init(&mut self.source)
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
        self.open = true;
        Ok(true)
    }
}

impl Read for Frames<'_, '_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        loop {
            if !self.open && !self.next()? {
                return Ok(0);
            }
            while self.decoder.can_collect() == 0 && !self.decoder.is_finished() {
                self.decoder
                    .decode_blocks(&mut self.source, BlockDecodingStrategy::UptoBlocks(1))
                    .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
            }
            let count = self.decoder.read(out)?;
            if count > 0 || out.is_empty() {
                return Ok(count);
            }
            self.open = false;
        }
    }
}
