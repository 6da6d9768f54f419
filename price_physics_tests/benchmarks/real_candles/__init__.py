"""What the driftless odds and the value made of them are worth on real candles, with targets."""
