using System.Text;
using Datacake.Node;
using Datacake.Quickstart;
using Datacake.Rpc;
using Datacake.Storage;

Console.OutputEncoding = Encoding.UTF8;
Options options;
try
{
    options = Options.Parse(args);
}
catch (FormatException error)
{
    Console.Error.WriteLine(error.Message);
    return 2;
}

if (options.WantsHelp)
{
    Console.WriteLine(Options.Help);
    return 0;
}

try
{
    using var folder = DataFolder.Open(options.DataFolder);
    if (options.NodeId is { } nodeId)
        await new NodeMode(options, nodeId, folder.Path, Console.Out).RunAsync(Console.OpenStandardInput());
    else
        await Scenario.RunAsync(options, folder.Path, new Transcript(Console.Out, TimeProvider.System));
    return 0;
}
catch (Exception failure) when (failure is ClaimFailedException or ClusterRefusedException or RpcException or StorageException or IOException or ArgumentException)
{
    Console.Error.WriteLine($"FAILED: {failure.Message}");
    return 1;
}
catch (Exception error)
{
    // The error is unexpected, so its stack trace helps.
    Console.Error.WriteLine($"FAILED: {error}");
    return 1;
}
