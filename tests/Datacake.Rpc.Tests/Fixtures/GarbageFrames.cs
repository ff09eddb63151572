using Datacake.Rpc.Framing;

namespace Datacake.Rpc.Tests.Fixtures;

/// <summary>Frames and other bytes that no correct peer sends, at least not at that moment.</summary>
static class GarbageFrames
{
    /// <summary>Returns the bytes that a misbehaving peer sends on one connection.</summary>
    public static byte[] Of(string kind, Random random)
    {
        var frames = new List<byte>();
        switch (kind)
        {
            case "random frames":
                for (var i = 0; i < 50; i++)
                {
                    var body = new byte[random.Next(4) == 0 ? random.Next(70_000) : random.Next(40)];
                    random.NextBytes(body);
                    frames.AddRange(RawClient.Frame(
                        (FrameType)random.Next(1, 14), (uint)random.Next(6), (uint)random.Next(), null, body, (FrameFlags)random.Next(2)));
                }

                break;
            case "mutated frames":
                var valid = ValidFrames(random);
                for (var i = random.Next(1, 10); i > 0; i--)
                    valid[random.Next(valid.Length)] = (byte)random.Next(256);
                return valid;
            case "truncated frames":
                var whole = ValidFrames(random);
                return whole[..random.Next(whole.Length)];
            case "frames in any order":
                return ValidFrames(random);
            case "answers in any order":
                for (var i = 0; i < 50; i++)
                {
                    var type = (FrameType[])[FrameType.Reply, FrameType.Error, FrameType.Chunk, FrameType.Accept, FrameType.Message,
                        FrameType.Credit, FrameType.Complete, FrameType.Ping, FrameType.Pong];
                    frames.AddRange(ValidFrame(type[random.Next(type.Length)], random));
                }

                break;
            default:
                var bytes = new byte[random.Next(1, 5000)];
                random.NextBytes(bytes);
                return bytes;
        }

        return [.. frames];
    }

    static byte[] ValidFrames(Random random)
    {
        FrameType[] types = [FrameType.Request, FrameType.Chunk, FrameType.Cancel, FrameType.OpenStream, FrameType.Message,
            FrameType.Credit, FrameType.Complete, FrameType.Ping, FrameType.Pong];
        return [.. Enumerable.Range(0, 50).SelectMany(_ => ValidFrame(types[random.Next(types.Length)], random))];
    }

    /// <summary>Returns a well-formed frame that may make no sense in its context.</summary>
    public static byte[] ValidFrame(FrameType type, Random random)
    {
        var hasRoute = type is FrameType.Request or FrameType.OpenStream;
        var hasPayload = type is FrameType.Request or FrameType.Reply or FrameType.Error or FrameType.Chunk or FrameType.Message;
        var mayContinue = type is FrameType.Request or FrameType.Reply or FrameType.Chunk or FrameType.Message;
        return RawClient.Frame(
            type,
            (uint)random.Next(1, 20),
            (uint)random.Next(),
            hasRoute ? Route.Encode(random.Next(5) == 0 ? "nowhere" : "echo", random.Next(2) == 0 ? "echo" : "echo-stream") : null,
            hasPayload ? new byte[random.Next(5) == 0 ? random.Next(65_536) : random.Next(100)] : null,
            mayContinue && random.Next(3) == 0 ? FrameFlags.More : FrameFlags.None);
    }

    /// <summary>Returns the beginning of a frame after which no reader can continue: unknown, oversized, truncated or random bytes.</summary>
    public static byte[] Fatal(Random random)
    {
        var frame = ValidFrame((FrameType)random.Next(1, 14), random);
        switch (random.Next(5))
        {
            case 0:
                frame[random.Next(2) == 0 ? 3 : 2] = (byte)random.Next(2, 256);     // The length.
                return frame;
            case 1:
                frame[4] = (byte)random.Next(14, 256);                              // The type.
                return frame;
            case 2:
                frame[5] |= 0x80;                                                   // The flags.
                return frame;
            case 3:
                return frame[..random.Next(frame.Length)];
            default:
                random.NextBytes(frame);
                frame[4] = 0;
                return frame;
        }
    }
}
