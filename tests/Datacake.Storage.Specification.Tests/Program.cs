using Datacake.Storage.Specification;
using Datacake.Storage.Specification.Tests;
using Xunit.MicrosoftTestingPlatform;
using Xunit.Runner.InProc.SystemConsole;

if (await StorageProcess.TryRunAsync(args, CarelessStorage.Open))
    return 0;
// The same choice as in xunit's own entry point.
return args.Contains("--server")
    ? await TestPlatformTestFramework.RunAsync(args, SelfRegisteredExtensions.AddSelfRegisteredExtensions)
    : await ConsoleRunner.Run(args);
