#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Looks at the channels and the size of each buffer of synthetic EEG."""
import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstEeg", "1.0")
from gi.repository import Gst, GstEeg  # noqa: E402


def on_buffer(sink, buffer, pad):
    info = GstEeg.EegInfo.new_from_caps(pad.get_current_caps())
    first = info.channel_table.get(0)
    print(f"{buffer.get_size() // info.bytes_per_frame} samples of "
          f"{info.channels} channels, the first is {first.label} in {first.unit}")


Gst.init(None)
pipeline = Gst.parse_launch("eegsrc driver=synthetic num-samples=1000 ! rawtovoltage ! "
                            "fakesink name=sink signal-handoffs=true sync=false")
pipeline.get_by_name("sink").connect("handoff", on_buffer)
pipeline.set_state(Gst.State.PLAYING)
message = pipeline.get_bus().timed_pop_filtered(Gst.CLOCK_TIME_NONE,
                                                Gst.MessageType.ERROR | Gst.MessageType.EOS)
pipeline.set_state(Gst.State.NULL)
if message.type == Gst.MessageType.ERROR:
    raise message.parse_error().gerror
