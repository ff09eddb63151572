using Datacake.Sqlite.Tests;
using Datacake.Storage.Specification;
using Xunit.MicrosoftTestingPlatform;
using Xunit.Runner.InProc.SystemConsole;

if (await StorageProcess.TryRunAsync(args, SqliteCrashTests.OpenWithSmallLog))
    return 0;
// What xunit's own entry point does.
return args.Contains("--server")
    ? await TestPlatformTestFramework.RunAsync(args, SelfRegisteredExtensions.AddSelfRegisteredExtensions)
    : await ConsoleRunner.Run(args);
