using Datacake.EventualConsistency.Tests;
using Datacake.EventualConsistency.Tests.Killing;
using Xunit.MicrosoftTestingPlatform;
using Xunit.Runner.InProc.SystemConsole;

if (await WritingProcess.TryRunAsync(args))
    return 0;
// The rest is the entry point that xunit would generate.
return args.Contains("--server")
    ? await TestPlatformTestFramework.RunAsync(args, SelfRegisteredExtensions.AddSelfRegisteredExtensions)
    : await ConsoleRunner.Run(args);
