"""Which bars are events. Whatever happens after one is none of its business."""
