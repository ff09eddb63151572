using Datacake.Rpc;
using MessagePack;

namespace Datacake.Benchmarks.Rpc;

/// <summary>A small message of two numbers, like protobuf's <see cref="Google.Protobuf.WellKnownTypes.Duration"/>.</summary>
sealed record EchoMessage(long Seconds, int Nanoseconds) : IRpcMessage<EchoMessage>
{
    public static string Name => "echo";

    public static EchoMessage Read(ref MessagePackReader reader)
    {
        reader.ReadArrayHeader();
        return new EchoMessage(reader.ReadInt64(), reader.ReadInt32());
    }

    public void Write(ref MessagePackWriter writer)
    {
        writer.WriteArrayHeader(2);
        writer.Write(Seconds);
        writer.Write(Nanoseconds);
    }
}
