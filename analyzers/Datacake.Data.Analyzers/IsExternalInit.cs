namespace System.Runtime.CompilerServices;

/// <summary>What the compiler asks for behind <c>init</c>, which .NET Standard 2.0 lacks.</summary>
static class IsExternalInit;
