<#
.SYNOPSIS
Runs Pester files, and ends with the number of tests that did not pass as the exit code.
.PARAMETER Pester
The module's manifest, or its name where it is installed.
.PARAMETER Path
The files, in the order in which they run; all of this folder and of the samples where none is named.
.PARAMETER Reversed
The files in reversed order.
.PARAMETER ResultPath
A file for the results, as NUnit XML.
.EXAMPLE
./tests/Invoke-PesterFile.ps1 -ResultPath TestResults/pester.xml
#>
[CmdletBinding()]
param(
    [string] $Pester = 'Pester',
    [string[]] $Path = (Get-ChildItem $PSScriptRoot, (Join-Path $PSScriptRoot samples) -Filter *.Tests.ps1 | Sort-Object Name | ForEach-Object FullName),
    [switch] $Reversed,
    [string] $ResultPath
)

$ErrorActionPreference = 'Stop'
Import-Module $Pester -MinimumVersion 5.0
if ($Reversed) {
    [array]::Reverse($Path)
}

$configuration = New-PesterConfiguration
$configuration.Run.Path = $Path
$configuration.Run.PassThru = $true
$configuration.Output.CIFormat = 'None'
if ($ResultPath) {
    $configuration.TestResult.Enabled = $true
    $configuration.TestResult.OutputFormat = 'NUnitXml'
    $configuration.TestResult.OutputPath = $ExecutionContext.SessionState.Path.GetUnresolvedProviderPathFromPSPath($ResultPath)
}

$result = Invoke-Pester -Configuration $configuration
"Culture: $((Get-Culture).Name)"
"Pester $((Get-Module Pester).Version): $($result.PassedCount) passed, $($result.FailedCount) failed, $($result.SkippedCount) skipped."
exit $result.TotalCount - $result.PassedCount - $result.SkippedCount + $result.FailedContainersCount
