using System.Globalization;
using Datacake.Rpc.Framing;
using Datacake.Rpc.Logging;
using Datacake.Rpc.Tests.Fixtures;

namespace Datacake.Rpc.Tests;

/// <summary>
/// The frame reader alone, with frames in any order and with garbage. For a longer run, set DATACAKE_FUZZ_FRAMES to the number of frames.
/// The tests do not run in parallel with others because they measure the memory of the process.
/// </summary>
[Collection(nameof(FuzzTests))]
public sealed class FrameReaderTests(ITestOutputHelper output)
{
    const long MemoryGrowthBound = 64 * 1024 * 1024;

    static int Frames { get; } =
        int.Parse(Environment.GetEnvironmentVariable("DATACAKE_FUZZ_FRAMES") ?? "20000", NumberStyles.None, CultureInfo.InvariantCulture);

    [Fact]
    public async Task Reader_ends_with_a_reason_and_releases_its_memory_for_any_input()
    {
        var before = GC.GetTotalMemory(forceFullCollection: true);
        var limits = new RpcLimits { MessageSize = 70_000, BufferedBytes = 280_000, TotalBufferedBytes = 280_000, CallsInFlight = 8 };
        var agreement = new Agreement(2, Rpc.Framing.Capabilities.None, new PeerLimits(limits.MessageSize, limits.CallsInFlight, limits.StreamWindow, limits.HeaderSize));
        var held = new ByteBudget(limits.TotalBufferedBytes);
        var random = new Random(1);
        var endings = new SortedDictionary<RpcStatus, int>();
        var (frames, handled, refused) = (0, 0, 0);
        while (frames < Frames)
        {
            var script = new List<byte>();
            for (var count = random.Next(100); count >= 0; count--, frames++)
                script.AddRange(count > 0 ? GarbageFrames.ValidFrame((FrameType)random.Next(1, 14), random) : GarbageFrames.Fatal(random));
            await using var stream = new ScriptedStream([.. script], random);
            var connection = new FrameConnection(
                new TransportConnection(stream, "fuzz"), stream, Telemetry.ServerSide, limits, agreement, TimeProvider.System, held);
            var sink = new Sink(random);
            var reason = await connection.RunAsync(sink).Soon();
            sink.ReleaseAll();

            endings[reason.Status] = endings.GetValueOrDefault(reason.Status) + 1;
            handled += sink.Handled;
            refused += sink.Refused;
            Assert.Equal(1, sink.Closed);
            Assert.True(held.TryTake((int)limits.TotalBufferedBytes), "memory is held after the connection has ended");
            held.Return((int)limits.TotalBufferedBytes);
        }

        output.WriteLine($"{frames} frames: {handled} handled, {refused} refused; connections ended by "
            + string.Join(", ", endings.Select(ending => $"{ending.Key} {ending.Value}")));
        Assert.All(
            endings.Keys, status => Assert.True(status is RpcStatus.Connection or RpcStatus.InvalidPayload or RpcStatus.LimitExceeded));
        Assert.True(refused > 0 && handled > refused);
        Assert.InRange(GC.GetTotalMemory(forceFullCollection: true) - before, long.MinValue, MemoryGrowthBound);
    }

    /// <summary>A sink that accepts everything and keeps some messages for a while.</summary>
    sealed class Sink(Random random) : IFrameSink
    {
        readonly List<(PayloadBuffer Message, int Version)> _kept = [];

        public int Handled { get; private set; }

        public int Refused { get; private set; }

        public int Closed { get; private set; }

        public void OnMessage(PayloadBuffer message)
        {
            Handled++;
            Assert.Equal(message.PayloadLength, message.GetPayload(message.Version).Length);
            _kept.Add((message, message.Version));
            if (random.Next(3) > 0)
                return;
            var (first, version) = _kept[0];
            _kept.RemoveAt(0);
            first.Release(version);
        }

        public void OnSignal(FrameHeader frame) => Handled++;

        public void OnRefused(uint id, string reason) => Refused++;

        public void OnClosed(RpcException reason) => Closed++;

        public void ReleaseAll()
        {
            foreach (var (message, version) in _kept)
                message.Release(version);
        }
    }

    /// <summary>A stream that returns its bytes in pieces of any size and accepts all writes.</summary>
    sealed class ScriptedStream(byte[] script, Random random) : Stream
    {
        int _position;

        public override bool CanRead => true;

        public override bool CanWrite => true;

        public override bool CanSeek => false;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            var most = random.Next(4) == 0 ? random.Next(1, 20) : int.MaxValue;
            var count = Math.Min(Math.Min(buffer.Length, script.Length - _position), most);
            script.AsMemory(_position, count).CopyTo(buffer);
            _position += count;
            return ValueTask.FromResult(count);
        }

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
            => ValueTask.CompletedTask;

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Flush()
        {
        }
    }
}
