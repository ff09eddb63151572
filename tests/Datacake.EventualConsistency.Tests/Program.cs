using Datacake.EventualConsistency.Tests;
using Datacake.EventualConsistency.Tests.Killing;
using Xunit.MicrosoftTestingPlatform;
using Xunit.Runner.InProc.SystemConsole;

if (await WritingProcess.TryRunAsync(args))
    return 0;
// What xunit's own entry point does.
return args.Contains("--server")
    ? await TestPlatformTestFramework.RunAsync(args, SelfRegisteredExtensions.AddSelfRegisteredExtensions)
    : await ConsoleRunner.Run(args);
