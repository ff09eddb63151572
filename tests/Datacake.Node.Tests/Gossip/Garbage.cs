using System.Globalization;

namespace Datacake.Node.Tests;

/// <summary>Packets that no peer sends: noise, noise with a valid beginning, and captured packets with changed or missing bytes.</summary>
static class Garbage
{
    /// <summary>Gets the number of packets per test: a few by default, or the value of DATACAKE_FUZZ_PACKETS.</summary>
    public static int PacketCount { get; } =
        int.Parse(Environment.GetEnvironmentVariable("DATACAKE_FUZZ_PACKETS") ?? "3000", NumberStyles.None, CultureInfo.InvariantCulture);

    public static byte[] Packet(Random random) => random.Next(4) switch
    {
        0 => Noise(random, random.Next(1_500)),
        1 => [0x53, 0xB0, 0, (byte)random.Next(4), .. Noise(random, random.Next(300))],
        _ => Mutated(random),
    };

    static byte[] Mutated(Random random)
    {
        var packet = WorkedPackets.All[random.Next(WorkedPackets.All.Length)].ToArray();
        for (var changes = random.Next(1, 4); changes > 0; changes--)
            packet[random.Next(packet.Length)] = (byte)random.Next(256);
        return random.Next(4) == 0 ? packet[..random.Next(packet.Length)] : packet;
    }

    static byte[] Noise(Random random, int length)
    {
        var bytes = new byte[length];
        random.NextBytes(bytes);
        return bytes;
    }
}
