using Datacake.PostgreSql.Tests;
using Datacake.Storage.Specification;
using Xunit.MicrosoftTestingPlatform;
using Xunit.Runner.InProc.SystemConsole;

if (await StorageProcess.TryRunAsync(args, TestServer.OpenInProcess))
    return 0;
// The same choice as in xunit's own entry point.
return args.Contains("--server")
    ? await TestPlatformTestFramework.RunAsync(args, SelfRegisteredExtensions.AddSelfRegisteredExtensions)
    : await ConsoleRunner.Run(args);
