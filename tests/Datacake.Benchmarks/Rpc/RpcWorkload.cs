using Datacake.Benchmarks.Measuring;

namespace Datacake.Benchmarks.Rpc;

/// <summary>The workload of calls to an echo service in this process over loopback TCP, with several calls in flight per connection.</summary>
static class RpcWorkload
{
    const int KiB = 1024;

    public static async Task RunAsync(Runner runner)
    {
        // The known figures are calls per second of the Rust crate on two cores, for each number of calls in flight.
        foreach (var (inFlight, factor, known) in new[] { (1, 2.0, 10_100), (64, 6.0, 17_800), (512, 9.0, 90_000) })
        {
            await runner.MeasureAsync(new Cell("rpc", $"echo=small in-flight={inFlight}", DatacakeEcho.OfMessages(), GrpcEcho.OfMessages())
            {
                Workers = inFlight,
                CountsWireBytes = true,
                Targets = [Target.Times(GrpcEcho.System, factor), Target.TimesKnown("Rust crate", known, 1), Target.Allocates(200)],
            });
        }
        foreach (int inFlight in runner.Pace.Choose([1, 64], [1]))
        {
            await runner.MeasureAsync(new Cell("rpc", $"echo=64KiB in-flight={inFlight}", DatacakeEcho.OfBytes(64 * KiB), GrpcEcho.OfBytes(64 * KiB))
            {
                Workers = inFlight,
                CountsWireBytes = true,
                Targets = inFlight == 1 ? [Target.Times(GrpcEcho.System, 2.5), Target.TimesKnown("Rust crate", 3_300, 1)] : [],
            });
        }
        await MeasureSecurityAsync(runner);
    }

    /// <summary>Measures the cost of encryption: the cluster secret, compared with no protection and with TLS.</summary>
    static async Task MeasureSecurityAsync(Runner runner)
    {
        foreach (int inFlight in new[] { 1, 64 })
        {
            await runner.MeasureAsync(new Cell("rpc", $"security echo=small in-flight={inFlight}",
                DatacakeEcho.OfMessages(LinkSecurity.ClusterSecret), DatacakeEcho.OfMessages(), DatacakeEcho.OfMessages(LinkSecurity.MutualTls))
            {
                Workers = inFlight,
                CountsWireBytes = true,
                Targets = inFlight == 64 ? [Target.Times(DatacakeEcho.System, 0.85)] : [],
            });
        }
        await runner.MeasureAsync(new Cell("rpc", "security echo=64KiB in-flight=1",
            DatacakeEcho.OfBytes(64 * KiB, LinkSecurity.ClusterSecret), DatacakeEcho.OfBytes(64 * KiB), DatacakeEcho.OfBytes(64 * KiB, LinkSecurity.MutualTls))
        {
            CountsWireBytes = true,
        });
    }
}
